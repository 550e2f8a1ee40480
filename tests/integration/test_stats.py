# SPDX-License-Identifier: Apache-2.0
"""What a mount tells of itself: .modelfs/stats, .modelfs/stats.prom and `modelfs stats`."""

import fcntl
import json
import mmap
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import fake_registry as fake
import processes
import pytest
from processes import LOG, SLOWNESS
from seeded import Seeded

MIB = 1 << 20
SIZE = 6 * MIB + 4321
CONTENT = Seeded(77, SIZE)
FILE = "p/m/files/data.bin"
SOURCES = ("cached", "joined", "fetched")
USAGE, NOINPUT, UNAVAILABLE = 64, 66, 69
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def mounted(mount, registry):
    """A mount of a registry that holds one file; mounted.registry is that."""
    registry.add_model("p", "m", kind="Custom", files={"data.bin": CONTENT})
    made = mount(registry.source)
    made.registry = registry
    return made


@pytest.fixture
def stats(modelfs_bin):
    """stats(argument, ..., code=0) runs `modelfs stats`."""

    def run(*arguments, code=0):
        done = processes.run_modelfs(modelfs_bin, "stats", *arguments)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done

    return run


def until(condition, seconds=20):
    """Waits until condition() holds: some counts follow the answer they are about."""
    deadline = time.monotonic() + seconds * SLOWNESS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def read_direct(path, off=0, length=None):
    """Reads past the kernel's page cache: what the mount was asked for is what is read here."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        end = os.fstat(fd).st_size if length is None else off + length
        page, got = mmap.mmap(-1, MIB), b""
        while off < end:
            n = os.preadv(fd, [memoryview(page)[: min(MIB, end - off + 4095 & ~4095)]], off)
            if not n:
                break
            got, off = got + page[:n], off + n
        return got
    finally:
        os.close(fd)


def answered(figures):
    return {source: figures[f"answered_{source}_bytes"] for source in SOURCES}


def grown(before, after):
    return {name: after[name] - before[name] for name in after}


# Counts.


def test_bytes_by_source_are_the_bytes_that_were_read(mounted):
    assert (mounted / FILE).read_bytes() == CONTENT.read(0, SIZE)
    figures = mounted.stats()
    assert sum(answered(figures).values()) == SIZE
    assert answered(figures)["fetched"] > 0
    assert figures["bytes_asked"] == SIZE
    assert figures["bytes_fetched"] == SIZE == mounted.registry.content_bytes


def test_a_second_read_comes_from_the_block_cache(mounted):
    read_direct(mounted / FILE)
    before = mounted.stats()
    assert read_direct(mounted / FILE) == CONTENT.read(0, SIZE)
    after = mounted.stats()
    assert grown(answered(before), answered(after)) == {"cached": SIZE, "joined": 0, "fetched": 0}
    assert after["bytes_fetched"] == before["bytes_fetched"]
    assert after["bytes_hit"] - before["bytes_hit"] == SIZE
    # a reply of two pieces: half of one block, half of the next
    assert read_direct(mounted / FILE, MIB // 2, MIB) == CONTENT.read(MIB // 2, MIB)
    assert grown(answered(after), answered(mounted.stats()))["cached"] == MIB


def test_who_waits_for_anothers_bytes_is_told_from_who_asked(mount, registry, watchdog):
    registry.add_model("p", "m", kind="Custom", files={"data.bin": CONTENT})
    # one worker: when it tells of a read in its stats, it is through with taking that read
    mounted = mount(registry.source, threads=1)
    os.stat(mounted / FILE)
    registry.fail("content", fake.hold)
    readers, before = [], mounted.stats()
    for number in 1, 2:
        reader = threading.Thread(target=read_direct, args=(mounted / FILE, 0, 4096))
        reader.start()
        readers.append(reader)
        until(lambda: mounted.stats()["fetch_reads"] == before["fetch_reads"] + number)
    registry.heal()
    for reader in readers:
        reader.join()
    found = grown(answered(before), answered(mounted.stats()))
    assert found == {"cached": 0, "joined": 4096, "fetched": 4096}
    until(lambda: mounted.stats()["latency_read_joined_ns"] == 1)
    assert mounted.stats()["latency_read_fetched_ns"] == 1


def test_every_request_that_was_answered_was_timed(mounted):
    for _ in range(3):
        os.listdir(mounted / "p/m")
        read_direct(mounted / FILE, 0, 4096)
        os.readlink(mounted / "p/m/latest") if os.path.islink(mounted / "p/m/latest") else None
        os.getxattr(mounted / FILE, "user.modelfs.cached")
    kinds = {"lookup": "lookups", "open": "opens", "opendir": "opendirs", "readdir": "readdirs"}
    kinds["xattr"] = "xattrs"

    def all_timed():
        figures = mounted.stats()
        # the stats that tell are being opened
        waiting = {kind: figures[n] - figures[f"latency_{kind}_ns"] for kind, n in kinds.items()}
        return waiting == {"lookup": 0, "open": 1, "opendir": 0, "readdir": 0, "xattr": 0}

    until(all_timed)
    figures = mounted.stats()
    for kind in kinds:
        assert 0 < figures[f"latency_{kind}_max_ns"] <= figures[f"latency_{kind}_sum_ns"]


def test_a_listing_that_is_late_is_late_in_the_latencies(mounted):
    mounted.registry.fail("files", fake.late(0.2))
    os.listdir(mounted / "p/m")
    until(lambda: mounted.stats()["latency_opendir_max_ns"] > 0.2e9)
    assert mounted.stats()["latency_getattr_max_ns"] < 0.2e9


def test_texts_that_the_mount_makes_are_no_bytes_of_files(mounted):
    before = mounted.stats()
    info = (mounted / "p/m/.modelfs/info.json").read_bytes()
    after = mounted.stats()
    assert answered(after) == answered(before)
    assert after["answered_other_bytes"] - before["answered_other_bytes"] >= len(info)


def test_trouble_is_counted(mounted):
    mounted.registry.fail("content", fake.status(500), times=2)
    assert read_direct(mounted / FILE, 0, 4096) == CONTENT.read(0, 4096)
    figures = mounted.stats()
    assert figures["retries"] == 2 and figures["failures"] == 0


def test_a_reader_under_way_is_a_stream_and_one_at_the_end_is_none(mounted):
    with open(mounted / FILE, "rb", buffering=0) as f:
        f.read(MIB)
        figures = mounted.stats()
        assert figures["files_open"] == 1
        assert figures["files_streaming"] == 1
        assert figures["streams"] == 1
        assert 0 < figures["ahead_bytes"] <= figures["window_bytes"] <= SIZE
        f.read()
        figures = mounted.stats()
        assert figures["files_open"] == 1
        assert figures["streams"] == figures["files_streaming"] == figures["window_bytes"] == 0
    until(lambda: mounted.stats()["files_open"] == 0)


def test_connections_are_counted_while_they_are_open(mounted):
    read_direct(mounted / FILE)
    figures = mounted.stats()
    assert 0 < figures["connections_open"] <= figures["connections_opened"]
    mounted.registry.fail("content", fake.hold)
    mounted.registry.add_model("p", "other", kind="Custom", files={"o.bin": Seeded(5, MIB)})
    until(lambda: "other" in os.listdir(mounted / "p"), 60)
    reader = threading.Thread(target=read_direct, args=(mounted / "p/other/files/o.bin",))
    reader.start()
    until(lambda: mounted.stats()["transfers_active"] > 0)
    mounted.registry.heal()
    reader.join()
    until(lambda: mounted.stats()["transfers_active"] == 0)


def test_the_round_trip_to_a_far_registry_is_told(mount, registry, stats):
    registry.add_model("p", "m", kind="Custom", files={"data.bin": CONTENT})
    for route in "projects", "models", "files", "content":
        registry.fail(route, fake.late(0.05))
    mounted = mount(registry.source)
    read_direct(mounted / FILE)
    [origin] = json.loads(stats("--json", mounted).stdout)["origins"]
    assert origin["origin"] == f"127.0.0.1:{registry.port}"
    assert origin["rtt_us"] >= 45000
    assert origin["total_bytes_per_s"] >= origin["connection_bytes_per_s"] > 0


# For Prometheus.


def test_prometheus_gets_histograms_that_add_up(mounted):
    read_direct(mounted / FILE)
    lines = (mounted / ".modelfs/stats.prom").read_text().splitlines()
    series = [re.fullmatch(r"(modelfs_\w+)(\{.*\})? ([0-9.]+)", n) for n in lines if n[0] != "#"]
    assert all(series)
    types = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(types) == len(set(types))
    values = {m.group(1) + (m.group(2) or ""): float(m.group(3)) for m in series}
    assert len(values) == len(series)
    labels = [name[name.index("{") :] for name in values if "latency_seconds_count" in name]
    assert '{op="read",source="fetched"}' in labels and '{op="lookup"}' in labels
    for label in labels:
        stem = "modelfs_latency_seconds_bucket" + label[:-1]
        counts = [value for name, value in values.items() if name.startswith(stem + ",le")]
        assert counts == sorted(counts)
        assert counts[-1] == values["modelfs_latency_seconds_count" + label]
    assert values["modelfs_answered_fetched_bytes_total"] > 0


# The command.


def test_help_goes_to_standard_output(stats):
    for option in "--help", "-h":
        assert stats(option).stdout.startswith("usage: modelfs stats ")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a", "b"],
        ["--nonsense", "x"],
        ["--json", "--watch", "x"],
        ["--watch=0", "x"],
        ["--watch=nan", "x"],
        ["--watch", "1e9", "x"],
        ["--watch=1s", "x"],
        ["--watch", "2"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_a_usage_error(stats, arguments):
    done = stats(*arguments, code=USAGE)
    assert done.stdout == "" and done.stderr


def test_people_get_one_screen(mounted, stats):
    read_direct(mounted / FILE)
    done = stats(mounted)
    lines = done.stdout.splitlines()
    assert done.stderr == "" and "\x1b" not in done.stdout
    assert re.fullmatch(rf"up 0:\d\d  {mounted}  {re.escape(mounted.registry.source)}", lines[0])
    assert len(lines) <= 24 and max(map(len, lines[1:])) <= 80, done.stdout
    shares = re.findall(r"^read, .* (\d+)%$", done.stdout, re.MULTILINE)
    assert 99 <= sum(map(int, shares)) <= 101
    assert re.search(r"^network +6\.0 MiB fetched for 6\.0 MiB asked", done.stdout, re.MULTILINE)
    assert re.search(rf"  127\.0\.0\.1:{mounted.registry.port}  .* away, ", done.stdout)


@pytest.mark.parametrize("place", ["", ".modelfs", "p", "p/m/files", FILE])
def test_any_path_in_the_mount_will_do(mounted, stats, place):
    os.stat(mounted / place)
    assert json.loads(stats("--json", mounted / place).stdout)["dir"] == str(mounted)


def test_scripts_get_json_of_all_that_the_file_has(mounted, stats):
    read_direct(mounted / FILE)
    found = json.loads(stats("--json", mounted).stdout)
    text = (mounted / ".modelfs/stats").read_text()
    flat = {n for n in mounted.stats() if not n.startswith(("latency_", "origin_"))}
    assert flat <= set(found) and all(isinstance(found[name], int) for name in flat)
    assert set(found) - flat == {
        "dir", "source", "hit_rate", "amplification", "latency", "origins"
    }  # fmt: skip
    assert found["dir"] == str(mounted) and found["source"] == mounted.registry.source
    assert found["bytes_fetched"] == SIZE and found["amplification"] >= 1.0
    assert 0 <= found["hit_rate"] < 1
    kinds = set(re.findall(r"^latency_(\w+)_max_ns ", text, re.MULTILINE)) | {"read"}
    assert set(found["latency"]) == kinds
    for latency in found["latency"].values():
        assert set(latency) == {"count", "sum_ns", "max_ns", "p50_ns", "p90_ns", "p99_ns"}
        quantiles = [latency[name] for name in ("p50_ns", "p90_ns", "p99_ns", "max_ns")]
        assert quantiles == sorted(quantiles)
    reads = found["latency"]["read"]
    assert reads["count"] == sum(found["latency"][f"read_{s}"]["count"] for s in SOURCES) > 0


def test_a_mount_without_a_cache_says_so(mount, registry, stats):
    registry.add_model("p", "m", kind="Custom", files={"data.bin": CONTENT})
    mounted = mount(registry.source, cache_size=0)
    assert re.search(r"^cache +none$", stats(mounted).stdout, re.MULTILINE)


def test_it_works_with_the_registry_gone(mount, registry, stats, expected_log):
    expected_log(LOG)
    registry.add_model("p", "m", kind="Custom", files={"data.bin": CONTENT})
    mounted = mount(registry.source, list_timeout=0, deadline=1)
    (mounted / FILE).read_bytes()
    registry.stop()
    found = json.loads(stats("--json", mounted).stdout)
    assert sum(found[f"answered_{source}_bytes"] for source in SOURCES) == SIZE
    os.listdir(mounted / "p")
    until(lambda: json.loads(stats("--json", mounted).stdout)["listings_failed"] > 0)


def test_what_is_no_mount_of_ours_is_said_to_be_none(stats, tmp_path):
    done = stats(tmp_path, code=NOINPUT)
    assert done.stdout == "" and "is in no mount of modelfs" in done.stderr
    done = stats(tmp_path / "nowhere", code=NOINPUT)
    assert "nowhere: No such file or directory" in done.stderr
    assert "is in no mount of modelfs" in stats("/proc", code=NOINPUT).stderr


@pytest.mark.root
def test_a_mount_that_another_one_hides_is_not_told_of(mounted, stats):
    subprocess.run(["mount", "-t", "tmpfs", "hider", mounted.path], check=True)
    try:
        assert "is in no mount of modelfs" in stats(mounted, code=NOINPUT).stderr
    finally:
        subprocess.run(["umount", mounted.path], check=True)
    assert stats(mounted).stdout


def test_a_mount_whose_process_died_is_said_to_be_dead(mounted, stats):
    mounted.process.kill()
    mounted.process.wait()
    done = stats(mounted, code=UNAVAILABLE)
    assert re.search("process .*is gone: run `modelfs umount", done.stderr)
    mounted.kill()


# Live.


class Watch:
    """`modelfs stats --watch` on a terminal of its own."""

    def __init__(self, binary, *arguments, rows=24, columns=80, every="0.1", **env):
        self.main, self.terminal = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.terminal)
        self.drawn = b""
        env = {"TERM": "xterm", **env}
        command = [binary, "stats", "--watch", every, *[str(a) for a in arguments]]
        self.process = subprocess.Popen(
            command,
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            env=processes.environment(**env),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def resize(self, rows, columns):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_for(self, pattern, seconds=20):
        """Reads until what was drawn since the last call matches."""
        self.drawn, deadline = b"", time.monotonic() + seconds * SLOWNESS
        while not (found := re.search(pattern, self.drawn, re.DOTALL)):
            assert time.monotonic() < deadline, self.drawn
            self._read(0.1)
        return found

    def _read(self, seconds):
        if not select.select([self.main], [], [], seconds)[0]:
            return False
        self.drawn += os.read(self.main, 1 << 16)
        return True

    def press(self, keys):
        os.write(self.main, keys)

    def end(self):
        """Its exit status; what it still drew is in drawn."""
        self.drawn = b""
        deadline = time.monotonic() + 20 * SLOWNESS
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.05)
        while self._read(0.05):
            continue
        return self.process.poll()

    def is_sane(self):
        return self.drawn.rstrip(b"\r\n").endswith(b"\x1b[?25h" + LEAVE) and (
            termios.tcgetattr(self.terminal) == self.before
        )

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.main)
        os.close(self.terminal)


@pytest.fixture
def watch(modelfs_bin):
    made = []

    def start(*arguments, **options):
        made.append(Watch(modelfs_bin, *arguments, **options))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.mark.parametrize("key", [b"q", b"Q", b"\x03"], ids=["q", "Q", "Ctrl-C"])
def test_the_live_screen_ends_with_a_key_and_leaves_the_terminal_as_it_was(mounted, watch, key):
    live = watch(mounted)
    live.wait_for(re.escape(ENTER) + rb".*the last \d\.\d s ")
    assert termios.tcgetattr(live.terminal) != live.before
    live.press(key)
    assert live.end() == 0 and live.is_sane()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(mounted, watch, number):
    live = watch(mounted)
    live.wait_for(rb"the last ")
    live.process.send_signal(number)
    assert live.end() == -number and live.is_sane()


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(mounted, watch):
    live = watch(mounted)
    live.wait_for(rb"the last ")
    live.press(b"\x1a")
    live.wait_for(re.escape(LEAVE))
    assert os.WIFSTOPPED(os.waitpid(live.process.pid, os.WUNTRACED)[1])
    assert termios.tcgetattr(live.terminal) == live.before
    live.process.send_signal(signal.SIGCONT)
    live.wait_for(re.escape(ENTER) + rb".*the last ")
    live.press(b"q")
    assert live.end() == 0 and live.is_sane()


def test_the_live_screen_shows_what_happens_now(mounted, watch):
    read_direct(mounted / FILE)
    live = watch(mounted)
    live.wait_for(rb"read, block cache +0 +- +- ")
    goes_on = threading.Event()

    def read_on():
        while not goes_on.is_set():
            read_direct(mounted / FILE)

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        live.wait_for(rb"read, block cache +[1-9]\d* +\d[^\r]* [1-9][0-9.]* [KMG]iB +100%")
    finally:
        goes_on.set()
        reader.join()
    live.wait_for(rb"read, block cache +0 +- +- ")


def test_the_live_screen_follows_the_windows_size(mounted, watch):
    live = watch(mounted, rows=50, columns=120)
    live.wait_for(rb"the last .*listings")
    live.resize(6, 30)
    live.wait_for(rb"\x1b\[H[^H]*\x1b\[J\x1b\[H")  # what was on its way at the old size
    frame = live.wait_for(rb"\x1b\[H([^H]*)\x1b\[J").group(1)
    lines = re.sub(rb"\x1b\[[0-9;]*[mK]", b"", frame).split(b"\r\n")
    assert len(lines) == 6 and max(map(len, lines)) <= 29


def test_a_new_size_is_drawn_at_once(mounted, watch):
    live = watch(mounted, every="3600")
    live.wait_for(rb"listings.*\x1b\[J")
    live.resize(3, 80)
    frame = live.wait_for(rb"\x1b\[H([^H]*)\x1b\[J").group(1)
    assert frame.count(b"\r\n") == 2
    live.press(b"q")
    assert live.end() == 0 and live.is_sane()


def test_no_colours_where_none_are_wanted(mounted, watch):
    live = watch(mounted, NO_COLOR="1")
    live.wait_for(rb"the last .*\x1b\[J")
    assert not re.search(rb"\x1b\[\d*m", live.drawn)
    colourful = watch(mounted)
    colourful.wait_for(rb"\x1b\[1m")


def test_the_live_screen_ends_when_the_mount_does(mounted, watch):
    live = watch(mounted)
    live.wait_for(rb"the last ")
    mounted.unmount()
    assert live.end() == UNAVAILABLE
    assert re.search(re.escape(LEAVE) + rb".*no modelfs is mounted on .* any more", live.drawn)
    assert termios.tcgetattr(live.terminal) == live.before


@pytest.mark.parametrize("form", [["--watch", "0.1"], ["--watch=0.1"], ["-w0.1"], ["-w", "0.1"]],
                         ids=" ".join)
def test_where_there_is_no_terminal_lines_are_appended(mounted, modelfs_bin, form):
    live = subprocess.Popen([modelfs_bin, "stats", *form, str(mounted)], stdout=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, text=True, env=processes.environment())
    heading = live.stdout.readline()
    lines = [live.stdout.readline() for _ in range(2)]
    live.send_signal(signal.SIGINT)
    rest = live.communicate(timeout=20)[0]
    assert live.returncode == 0
    assert heading.split() == ["reads/s", "cache/s", "in", "flight/s", "network/s", "hit", "p50",
                               "p99", "fetched/s"]  # fmt: skip
    assert all(re.fullmatch(r" +0 +0 B +0 B +0 B +- +- +- +0 B\n", line) for line in lines)
    assert "\x1b" not in heading + "".join(lines) + rest
