# SPDX-License-Identifier: Apache-2.0
"""`modelfs trace` records exactly the reads that were done, and ends whenever it should."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import threading

import pytest
from processes import END_S, SLOWNESS, START_S, TIED, environment, run_modelfs, wait_exit
from seeded import Seeded

KIB = 1 << 10
MIB = 1 << 20
DATA = Seeded(21, 4 * MIB + 777)
SMALL = Seeded(22, 100 * KIB)
SYSEXIT_USAGE, SYSEXIT_DATA, SYSEXIT_NOINPUT, SYSEXIT_CANTCREAT = 64, 65, 66, 73
SYSEXIT_TEMPFAIL, SYSEXIT_NOPERM = 75, 77


@pytest.fixture
def mounted(mount, tmp_path):
    """A mount of two files."""
    files = tmp_path / "source/p/m"
    files.mkdir(parents=True)
    DATA.write_to(files / "data.bin")
    SMALL.write_to(files / "small.bin")
    return mount(f"dir://{tmp_path}/source")


@pytest.fixture
def data(mounted):
    return mounted / "p/m/files/data.bin"


class Recorder:
    """A running `modelfs trace`."""

    def __init__(self, binary, folder, output, *more):
        self.binary, self.output = binary, output
        command = [*TIED, binary, "trace", folder, "-o", output, *more]
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        ready, _, _ = select.select([self.process.stderr], [], [], START_S)
        self.first_line = self.process.stderr.readline() if ready else ""

    def end(self, number=None, status=0):
        """Ends it by a signal, or lets it end; what it printed."""
        if number:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=END_S)
        assert (self.process.returncode, err) == (status, ""), err
        return out

    def stop(self):
        if wait_exit(self.process, 0) is None:
            self.process.kill()
            self.process.wait(END_S)
        for pipe in (self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def record(modelfs_bin, tmp_path):
    """record(folder, *options) -> Recorder that has begun, ended by the fixture."""
    made = []

    def start(folder, *more, output=None):
        made.append(Recorder(modelfs_bin, folder, output or tmp_path / "out.trace", *more))
        assert "recording" in made[-1].first_line, made[-1].first_line
        return made[-1]

    yield start
    for recorder in made:
        recorder.stop()


@pytest.fixture
def show(modelfs_bin):
    """show(path) -> the reads of a trace, and what was said on stderr."""

    def run(path, status=0):
        done = run_modelfs(modelfs_bin, "trace", "--show", path, "--json")
        assert done.returncode == status, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    return run


def direct_read(path, *places):
    """Reads [off, off + size) of each place past the kernel's cache: one request each."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        page = memoryview(bytearray(MIB + 2 * 4096))
        for off, size in places:
            os.preadv(fd, [page[:size]], off)
    finally:
        os.close(fd)


def wanted(places, size_bytes, file="p/m/files/data.bin"):
    return [
        (file, off, size, max(0, min(size, size_bytes - off))) for off, size in places
    ]


def told(reads):
    return [(r["file"], r["off"], r["size"], r["got"]) for r in reads]


# What is recorded.


def test_exactly_the_reads_done_are_recorded(mounted, data, record, show, tmp_path):
    places = [(0, 4096), (4096, 131072), (3 * MIB, 65536), (MIB, 4096), (4 * MIB, 65536)]
    direct_read(data, (0, 65536))
    recorder = record(mounted)
    direct_read(data, *places)
    direct_read(mounted / "p/m/files/small.bin", (4096, 8192))
    recorder.end(signal.SIGINT)
    direct_read(data, (2 * MIB, 4096))
    reads, said = show(tmp_path / "out.trace")
    small = wanted([(4096, 8192)], SMALL.size, "p/m/files/small.bin")
    assert told(reads) == wanted(places, DATA.size) + small
    assert said == ""


def test_a_read_tells_when_it_was_and_where_its_bytes_came_from(mounted, data, record, show,
                                                                 tmp_path):
    recorder = record(mounted)
    direct_read(data, (2 * MIB, 65536), (2 * MIB, 65536), (MIB, 4096))
    recorder.end(signal.SIGTERM)
    reads, _ = show(tmp_path / "out.trace")
    sources = [r["source"] for r in reads]
    assert (sources[0], sources[2]) == ("fetched", "fetched")
    assert sources[1] in ("joined", "cached")
    ends = [r["began_us"] + r["took_us"] for r in reads]
    assert 0 <= reads[0]["began_us"] < ends[0] <= reads[1]["began_us"] < reads[2]["began_us"]


def test_a_failed_read_is_recorded_with_its_errno(mount, registry, record, show, tmp_path,
                                                  expected_log):
    import fake_registry as fake

    expected_log(".")
    registry.add_model("p", "m", kind="Custom", files={"data.bin": DATA})
    mounted = mount(registry.source, deadline=1)
    path = mounted / "p/m/files/data.bin"
    assert path.stat().st_size == DATA.size
    registry.fail("content", fake.status(500), times=1000)
    recorder = record(mounted)
    with pytest.raises(OSError):
        direct_read(path, (0, 4096))
    recorder.end(signal.SIGINT)
    [read], _ = show(tmp_path / "out.trace")
    assert (read["source"], read["got"], read["errno"]) == ("none", 0, 5)


def test_reads_of_many_threads_are_all_recorded(mounted, data, record, show, tmp_path):
    places = [[(4096 * (8 * k + i), 4096) for k in range(100)] for i in range(8)]
    recorder = record(mounted)
    threads = [threading.Thread(target=direct_read, args=(data, *mine)) for mine in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.end(signal.SIGINT)
    reads, _ = show(tmp_path / "out.trace")
    assert sorted(told(reads)) == sorted(wanted(sum(places, []), DATA.size))


def test_texts_and_statistics_are_not_recorded(mounted, data, record, show, tmp_path):
    recorder = record(mounted)
    mounted.stats()
    (mounted / "p/m/.modelfs/info.json").read_text()
    (mounted / ".modelfs/info.json").read_text()
    recorder.end(signal.SIGINT)
    assert show(tmp_path / "out.trace") == ([], "")


@pytest.mark.slow
def test_a_recorder_that_is_slow_loses_the_oldest_and_is_told(mounted, data, show, tmp_path):
    places = [(4096 * (i % 1000), 4096) for i in range((64 << 10) + 5)]
    with open(mounted / ".modelfs/trace", "rb", buffering=0) as live:
        direct_read(data, *places)
        fd = live.fileno()
        os.set_blocking(fd, False)
        kept = b""
        with pytest.raises(BlockingIOError):
            while True:
                kept += os.read(fd, 60000)
    (tmp_path / "slow.trace").write_bytes(kept)
    reads, said = show(tmp_path / "slow.trace")
    assert reads[0] == {"lost": 5}
    assert told(reads[1:]) == wanted(places[5:], DATA.size)
    assert "cut short" in said


def test_the_live_file_is_found_by_name_and_not_listed(mounted):
    assert (mounted / ".modelfs/trace").stat().st_size == 0
    listed = os.listdir(mounted / ".modelfs")
    assert "stats" in listed and "trace" not in listed


# How it ends.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_while_nothing_is_read(mounted, record, show, tmp_path, number):
    out = record(mounted).end(number)
    assert out.startswith(f"{tmp_path}/out.trace: 0 reads of 0 files, 0 B")
    assert show(tmp_path / "out.trace") == ([], "")


def test_it_ends_by_itself_after_its_seconds(mounted, data, record, show, tmp_path):
    recorder = record(mounted, "--seconds", "1")
    direct_read(data, (0, 4096))
    assert "1 read of 1 file, 4.0 KiB" in recorder.end()
    assert len(show(tmp_path / "out.trace")[0]) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_mount(mounted, data, record, show, tmp_path, number):
    recorder = record(mounted)
    direct_read(data, (0, 4096))
    wait_for_bytes(tmp_path / "out.trace", b"data.bin")
    mounted.process.send_signal(number)
    assert wait_exit(mounted.process, END_S) == 0
    out, warned = recorder.process.communicate(timeout=END_S)
    assert recorder.process.returncode == 0 and "1 read of 1 file" in out
    reads, said = show(tmp_path / "out.trace")
    assert len(reads) == 1
    # It waited for reads just then and got the end; or it did not, and something may be missing.
    assert ("went away" in warned) == ("cut short" in said)


def test_a_parked_read_gets_the_end_when_the_mount_ends(mounted):
    """No tick interrupts this one, so that it is parked for sure."""
    process = subprocess.Popen(
        [*TIED, "cat", mounted / ".modelfs/trace"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert os.read(process.stdout.fileno(), 16) == b"modelfs trace 1\n"
    wait_until_it_reads(process.pid)
    mounted.stats()  # answered, so what came to the mount before is in its hands
    mounted.process.terminate()
    assert wait_exit(mounted.process, END_S) == 0
    rest, said = process.communicate(timeout=END_S)
    assert (process.returncode, said) == (0, b"") and len(rest) < 10


def test_it_says_so_when_the_mount_dies(mounted, data, record, show, tmp_path):
    recorder = record(mounted)
    direct_read(data, (0, 4096))
    wait_for_bytes(tmp_path / "out.trace", b"data.bin")
    wait_until_it_reads(recorder.process.pid)
    mounted.kill()
    out, said = recorder.process.communicate(timeout=END_S)
    assert recorder.process.returncode == 0 and "1 read of 1 file" in out
    assert "the mount went away: its last reads may be missing" in said
    assert "was cut short" in show(tmp_path / "out.trace")[1]


def test_it_ends_when_the_mount_is_taken_away_lazily(modelfs_bin, mounted, data, record, tmp_path):
    recorder = record(mounted)
    direct_read(data, (0, 4096))
    assert run_modelfs(modelfs_bin, "umount", "-l", mounted).returncode == 0
    assert "1 read of 1 file" in recorder.end()
    assert wait_exit(mounted.process, END_S) == 0


def test_umount_says_that_it_is_in_use_and_works_afterwards(modelfs_bin, mounted, record):
    recorder = record(mounted)
    refused = run_modelfs(modelfs_bin, "umount", mounted)
    assert refused.returncode == SYSEXIT_TEMPFAIL and "in use" in refused.stderr
    recorder.end(signal.SIGINT)
    mounted.unmount()


def test_a_recorder_that_is_killed_leaves_what_it_kept(mounted, data, record, show, tmp_path):
    recorder = record(mounted)
    direct_read(data, (0, 4096))
    wait_for_bytes(tmp_path / "out.trace", b"data.bin")
    recorder.process.kill()
    recorder.process.wait(END_S)
    reads, said = show(tmp_path / "out.trace")
    assert told(reads) == wanted([(0, 4096)], DATA.size)
    assert "was cut short" in said
    record(mounted).end(signal.SIGINT)


def wait_for_bytes(path, what):
    """Waits until a file that another process writes holds something: a hang is the timeout's."""
    while what not in path.read_bytes():
        os.sched_yield()


def test_a_parked_read_ends_at_once_when_it_is_interrupted(mounted):
    """By the system call itself: the signal's handler returns, and read() says EINTR."""
    script = """if True:
        import os, signal, sys
        class Stop(Exception): pass
        def stop(*_): raise Stop
        signal.signal(signal.SIGUSR1, stop)
        fd = os.open(sys.argv[1], os.O_RDONLY)
        print(len(os.read(fd, 100)), flush=True)
        try: os.read(fd, 100)
        except Stop: print("interrupted")
    """
    command = [*TIED, "python3", "-c", script, str(mounted / ".modelfs/trace")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert int(process.stdout.readline()) > 0
    wait_until_it_reads(process.pid)
    process.send_signal(signal.SIGUSR1)
    out, _ = process.communicate(timeout=END_S)
    assert (process.returncode, out) == (0, "interrupted\n")


def wait_until_it_reads(pid):
    """Until a process is in read(2), number 0 on x86-64 and 63 on arm64."""
    while open(f"/proc/{pid}/syscall").read().split()[0] not in ("0", "63"):
        os.sched_yield()


def test_a_recorder_that_waits_is_no_burden_for_others(mounted, record, data):
    """More readers than the mount has workers, while a recorder is parked."""
    record(mounted)
    threads = [threading.Thread(target=direct_read, args=(data, (4096 * i, 4096)))
               for i in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(END_S)
    assert not any(thread.is_alive() for thread in threads)


def test_a_terminal_sees_how_far_it_is(modelfs_bin, mounted, data, tmp_path):
    master, slave = pty.openpty()
    command = [*TIED, modelfs_bin, "trace", mounted, "-o", tmp_path / "out", "--seconds", "1"]
    env = environment(TERM="xterm")
    with subprocess.Popen(command, stderr=slave, stdout=subprocess.DEVNULL, env=env) as process:
        os.close(slave)
        seen = b""
        with contextlib.suppress(OSError):  # EIO: the other end was closed
            while piece := os.read(master, 4096):
                if b"recording" not in seen and b"recording" in seen + piece:
                    direct_read(data, (0, 4096))
                seen += piece
    os.close(master)
    assert process.returncode == 0
    assert re.search(rb"\r\x1b\[K0:0\d  1 reads  4.0 KiB  1 files", seen)
    assert seen.endswith(b"\r\x1b[K")


# Who may, and on what.


def test_a_second_recorder_is_told_that_there_is_one(modelfs_bin, mounted, record, tmp_path):
    first = record(mounted)
    second = run_modelfs(modelfs_bin, "trace", mounted, "-o", tmp_path / "second")
    assert second.returncode == SYSEXIT_TEMPFAIL
    assert "somebody else records" in second.stderr
    assert not (tmp_path / "second").exists()
    first.end(signal.SIGINT)
    record(mounted).end(signal.SIGINT)


@pytest.mark.root
def test_another_user_may_not_record(mount, sample_source):
    mounted = mount(sample_source, allow_other=True)
    live = mounted / ".modelfs/trace"
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for folder in mounted.path.parents[:4]:
        if str(folder) not in ("/tmp", "/"):
            folder.chmod(0o755)
    run = subprocess.run([*as_nobody, "cat", live], capture_output=True, text=True, timeout=END_S)
    assert run.returncode != 0 and "Permission denied" in run.stderr
    stats = [*as_nobody, "cat", mounted / ".modelfs/stats"]
    assert subprocess.run(stats, capture_output=True, timeout=END_S).returncode == 0


def test_any_path_in_a_mount_names_it(mounted, data, record, show, tmp_path):
    for place in ("p", "p/m/files", "p/m/files/data.bin"):
        recorder = record(mounted / place)
        assert f"recording {mounted} to" in recorder.first_line
        direct_read(data, (0, 4096))
        recorder.end(signal.SIGINT)
        assert len(show(tmp_path / "out.trace")[0]) == 1


@pytest.mark.parametrize("place, says", [
    (".", "is in no mount of modelfs"),
    ("/proc/self", "is in no mount of modelfs"),
    ("missing", "No such file"),
])
def test_a_directory_that_is_in_no_mount_is_refused(modelfs_bin, tmp_path, place, says):
    done = run_modelfs(modelfs_bin, "trace", tmp_path / place, "-o", tmp_path / "out")
    assert done.returncode == SYSEXIT_NOINPUT
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_only_a_trace_or_an_empty_file_is_written_over(modelfs_bin, mounted, record, tmp_path):
    output = tmp_path / "out.trace"
    output.write_text("")
    record(mounted).end(signal.SIGINT)
    with open(output, "ab") as out:
        out.write(b"x" * 10000)
    record(mounted).end(signal.SIGINT)
    assert output.stat().st_size < 1000
    for other in (b"precious", b"modelfs trace 2\nand more"):
        output.write_bytes(other)
        refused = run_modelfs(modelfs_bin, "trace", mounted, "-o", output)
        assert refused.returncode == SYSEXIT_CANTCREAT and "is no trace" in refused.stderr
        assert output.read_bytes() == other
    for place in (tmp_path, "/dev/null", mounted / "p/out", tmp_path / "no/such"):
        refused = run_modelfs(modelfs_bin, "trace", mounted, "-o", place)
        assert refused.returncode == SYSEXIT_CANTCREAT, place


# What is shown.


@pytest.fixture
def kept(mounted, data, record, tmp_path):
    """A trace of three reads in sequence and one elsewhere."""
    recorder = record(mounted)
    direct_read(data, (0, 4096), (4096, 4096), (8192, 4096), (MIB, 4096))
    printed = recorder.end(signal.SIGINT)
    return tmp_path / "out.trace", printed


def test_the_sums_are_printed_at_the_end_and_shown_again(modelfs_bin, kept):
    path, printed = kept
    shown = run_modelfs(modelfs_bin, "trace", "--show", path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert printed.startswith(f"{path}: 4 reads of 1 file, 16.0 KiB, in ")
    assert "P50" in printed and "P99" in printed and "100%" in printed
    assert shown.stdout.endswith(printed)
    row = next(line for line in shown.stdout.splitlines() if line.startswith("p/m/files/data.bin"))
    assert row.split()[1:] == ["4.0", "MiB", "4", "16.0", "KiB", "66%"]


def test_a_trace_that_is_cut_is_shown_up_to_there(modelfs_bin, kept, show, tmp_path):
    path, _ = kept
    whole = path.read_bytes()
    counts = set()
    for end in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:end])
        status = 0 if end > 16 + 7 else SYSEXIT_DATA
        if end in range(17, 24):
            continue
        reads, said = show(tmp_path / "cut", status)
        assert ("was cut short" if status == 0 else "is no trace") in said
        counts.add(len(reads))
    assert counts == {0, 1, 2, 3, 4}


def test_what_is_no_trace_or_damaged_is_refused(modelfs_bin, kept, show, tmp_path):
    path, _ = kept
    (tmp_path / "bad").write_bytes(path.read_bytes()[:-1] + b"\x3f\x3f\x3f")
    reads, said = show(tmp_path / "bad", SYSEXIT_DATA)
    assert len(reads) == 4 and "is damaged at byte" in said
    (tmp_path / "text").write_text("not a trace\n")
    assert "is no trace" in show(tmp_path / "text", SYSEXIT_DATA)[1]
    assert "No such file" in show(tmp_path / "missing", SYSEXIT_NOINPUT)[1]


@pytest.mark.parametrize("arguments", [
    [], ["a", "b"], ["--json", "a"], ["--show"], ["--show", "a", "-o", "b"], ["--what"],
    ["--seconds", "0", "a"], ["--seconds", "1x", "a"], ["--seconds", "99999999999999999999", "a"],
    ["--show", "--seconds", "1", "a"],
])
def test_wrong_usage_is_said(modelfs_bin, arguments, tmp_path):
    done = run_modelfs(modelfs_bin, "trace", *arguments)
    assert done.returncode == SYSEXIT_USAGE
    assert "modelfs trace --help" in done.stderr
    assert run_modelfs(modelfs_bin, "trace", "--help").stdout.startswith("usage: modelfs trace")
