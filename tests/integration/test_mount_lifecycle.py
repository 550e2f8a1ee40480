# SPDX-License-Identifier: Apache-2.0
"""Mounting and unmounting: in both grounds, by signals, with mistakes, without rights or device."""

import os
import pathlib
import select
import shlex
import shutil
import signal
import subprocess
import time

import fake_registry as fake
import pytest
from processes import (
    LOG,
    SLOWNESS,
    environment,
    is_mounted,
    mount_point,
    run_modelfs,
    wait_mount_table,
)
from trees import run

SYSEXITS = range(64, 79)
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def let_others_in(folder):
    """Makes a test's folder reachable for other users, up to the system's own folders."""
    for path in [folder, *folder.parents[:3]]:
        if path not in (pathlib.Path("/tmp"), pathlib.Path("/")):
            path.chmod(0o755)


@pytest.fixture
def place(tmp_path):
    """A folder to mount at, left unmounted whatever happens."""
    folder = tmp_path / "place"
    folder.mkdir()
    yield folder
    if is_mounted(folder):
        subprocess.run(["fusermount3", "-uz", folder])


@pytest.fixture
def background(modelfs_bin, place, tmp_path):
    """background(source, ...): `modelfs mount` without -f; the finished run."""

    def mount(source, *more, **env):
        options = f"cache_dir={tmp_path}/cache,log_file={tmp_path}/log"
        return run_modelfs(
            modelfs_bin, "mount", source, place, "-o", options, *more, seconds=40, **env
        )

    return mount


def wait_unmounted(path, seconds=20):
    """Waits for the kernel's table to lose a mount that another process ends."""
    deadline = time.monotonic() + seconds * SLOWNESS
    with open("/proc/self/mountinfo") as table:
        poller = select.poll()
        poller.register(table, select.POLLERR | select.POLLPRI)
        while is_mounted(path) and time.monotonic() < deadline:
            poller.poll(500)
            table.seek(0)
            table.read()
    return not is_mounted(path)


# The background.


def test_mount_returns_when_the_mount_answers_and_umount_ends_it(
    background, modelfs_bin, place, sample_source
):
    done = background(sample_source)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(place) == ["mnist"]
    ended = run_modelfs(modelfs_bin, "umount", place)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert wait_unmounted(place)


def test_a_mount_in_the_background_lets_go_of_the_terminal_and_the_folder(
    background, modelfs_bin, place, sample_source
):
    assert background(sample_source).returncode == 0
    [pid] = [p for p in processes_with(str(place)) if "umount" not in command_of(p)]
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert os.getsid(int(pid)) == int(pid)
    assert os.readlink(f"/proc/{pid}/fd/1") == "/dev/null"
    assert run_modelfs(modelfs_bin, "umount", place).returncode == 0


def processes_with(word):
    return [
        p.name
        for p in pathlib.Path("/proc").iterdir()
        if p.name.isdigit() and word in command_of(p.name)
    ]


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def test_mount_in_the_background_says_why_it_does_not_mount(background, place, registry):
    registry.stop()
    done = background(registry.source + "/project")
    assert done.returncode in SYSEXITS
    assert registry.url.removeprefix("http://") in done.stderr
    assert not is_mounted(place)


def test_a_relative_mount_point_and_cache_are_where_the_caller_stood(
    modelfs_bin, place, sample_source, tmp_path
):
    command = [modelfs_bin, "mount", sample_source, place.name, "-o", "cache_dir=here"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(place) == ["mnist"] and (tmp_path / "here").is_dir()
    assert run_modelfs(modelfs_bin, "umount", place).returncode == 0
    assert wait_unmounted(place)


# Ends.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_unmounts_cleanly(number, mount, sample_source):
    mounted = mount(sample_source)
    os.listdir(mounted / "mnist/cnn")
    mounted.process.send_signal(number)
    assert mounted.process.wait(20 * SLOWNESS) == 0
    assert not is_mounted(mounted.path)


def test_fusermount_ends_it_too(mount, sample_source):
    mounted = mount(sample_source)
    run("fusermount3", "-u", mounted.path)
    assert mounted.process.wait(20 * SLOWNESS) == 0


def test_a_busy_mount_is_said_to_be_busy_and_stays(mount, modelfs_bin, sample_source):
    mounted = mount(sample_source)
    with open(mounted / "mnist/cnn/files/graph.pbtxt", "rb") as held:
        busy = run_modelfs(modelfs_bin, "umount", mounted.path)
        assert busy.returncode in SYSEXITS and "busy" in busy.stderr.lower()
        assert held.read(10)
    assert is_mounted(mounted.path)


def test_umount_of_what_is_not_mounted_is_said(modelfs_bin, place, tmp_path):
    for folder in (place, tmp_path / "none"):
        done = run_modelfs(modelfs_bin, "umount", folder)
        assert done.returncode in SYSEXITS and str(folder) in done.stderr


def test_unmount_while_a_read_hangs_does_not_hang(mount, registry, expected_log):
    expected_log(LOG)
    registry.add_model("p", "m", files={"x": bytes(100)})
    mounted = mount(registry.source)
    path = mounted / "p/m/files/x"
    os.stat(path)
    registry.fail("content", fake.hold)
    reader = subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert registry.wait_for(lambda: registry.count["content"] > 0)
    mounted.process.terminate()
    assert mounted.process.wait(30 * SLOWNESS) is not None
    reader.wait(20)


def test_mounting_again_and_again_leaves_nothing_behind(mount, sample_source, tmp_path):
    for _ in range(20):
        mounted = mount(sample_source, cache_dir=tmp_path / "c", at=tmp_path / "one")
        assert os.listdir(mounted) == ["mnist"]
        mounted.end()
    assert str(tmp_path) not in pathlib.Path("/proc/self/mountinfo").read_text()


# What the kernel's table says.


def test_the_mount_table_shows_what_it_is_and_read_only(mount, registry):
    registry.add_project("p")
    mounted = mount(registry.source)
    _, options, kind, source = mount_point(mounted.path)
    assert kind == "fuse.modelfs" and "ro" in options.split(",")
    assert {"nosuid", "nodev"} <= set(options.split(","))
    assert source.startswith(registry.source)


def test_uid_gid_and_umask_are_what_was_asked_for(mount, sample_source):
    mounted = mount(sample_source, uid=1234, gid=2345, umask="027")
    st = os.stat(mounted / "mnist/cnn/files/graph.pbtxt")
    assert (st.st_uid, st.st_gid, st.st_mode & 0o777) == (1234, 2345, 0o440)
    assert os.stat(mounted / "mnist").st_mode & 0o777 == 0o550


@pytest.mark.root
@pytest.mark.parametrize("allow", [False, True])
def test_others_see_it_only_when_allowed(allow, mount, sample_source, tmp_path):
    options = {"allow_other": True} if allow else {}
    let_others_in(tmp_path)
    mounted = mount(sample_source, **options)
    done = subprocess.run([*AS_NOBODY, "ls", mounted.path], capture_output=True)
    assert (done.returncode == 0) == allow


# Mistakes.


MISTAKES = {
    "no arguments": ([], "--help"),
    "no mount point": (["SOURCE"], "--help"),
    "a mount point that is missing": (["SOURCE", "TMP/none"], "none"),
    "a mount point that is a file": (["SOURCE", "TMP/file"], "file"),
    "a URL of no kind": (["nothing://x", "PLACE"], "nothing"),
    "a URL that is none": (["/just/a/path", "PLACE"], "/just/a/path"),
    "a URL with a password": (["gradient+http://user:secret@127.0.0.1:1", "PLACE"], "password"),
    "a directory that is missing": (["dir:///none/at/all", "PLACE"], "/none/at/all"),
    "a host that does not answer": (["gradient+http://127.0.0.1:1/p", "PLACE"], "127.0.0.1:1"),
    "an option that is none": (["SOURCE", "PLACE", "-o", "nonsense=1"], "nonsense"),
    "a size that is none": (["SOURCE", "PLACE", "-o", "cache_size=much"], "much"),
    "a negative size": (["SOURCE", "PLACE", "-o", "cache_size=-5"], "-5"),
    "a size that is too small": (["SOURCE", "PLACE", "-o", "cache_size=5"], "cache_size"),
    "a size that overflows": (
        ["SOURCE", "PLACE", "-o", "cache_size=99999999999999G"],
        "cache_size",
    ),
    "a time that is none": (["SOURCE", "PLACE", "-o", "deadline=soon"], "soon"),
    "a umask that is none": (["SOURCE", "PLACE", "-o", "umask=999"], "999"),
    "a log that cannot be opened": (
        ["SOURCE", "PLACE", "-o", "log_file=/none/at/all"],
        "/none/at/all",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_said_with_what_it_was_and_a_sysexits_code(
    what, modelfs_bin, place, sample_source, tmp_path
):
    (tmp_path / "file").write_text("")
    arguments, word = MISTAKES[what]
    named = {"SOURCE": sample_source, "PLACE": str(place)}
    arguments = [named.get(a, a.replace("TMP", str(tmp_path))) for a in arguments]
    if "-o" in arguments:
        arguments[-1] += f",cache_dir={tmp_path}/cache"
    done = run_modelfs(modelfs_bin, "mount", "-f", *arguments, seconds=90)
    assert done.returncode in SYSEXITS, done.stderr
    assert word.lower() in done.stderr.lower()
    assert "secret" not in done.stderr
    assert not is_mounted(place)


def test_a_busy_mount_point_is_said(mount, modelfs_bin, sample_source, tmp_path):
    mounted = mount(sample_source)
    done = run_modelfs(
        modelfs_bin, "mount", sample_source, mounted.path, "-o", f"cache_dir={tmp_path}/other"
    )
    assert done.returncode in SYSEXITS
    assert str(mounted.path) in done.stderr and "mounted" in done.stderr
    assert os.listdir(mounted) == ["mnist"]


def test_a_mount_point_that_is_not_empty_is_covered_and_comes_back(mount, sample_source, tmp_path):
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    mounted = mount(sample_source, at=folder)
    assert os.listdir(folder) == ["mnist"]
    mounted.end()
    assert os.listdir(folder) == ["mine"]


def test_a_dead_mount_at_the_mount_point_is_explained(mount, modelfs_bin, sample_source, tmp_path):
    mounted = mount(sample_source)
    mounted.process.kill()
    mounted.process.wait(20)
    done = run_modelfs(
        modelfs_bin, "mount", sample_source, mounted.path, "-o", f"cache_dir={tmp_path}/other"
    )
    assert done.returncode in SYSEXITS and str(mounted.path) in done.stderr
    assert run_modelfs(modelfs_bin, "umount", mounted.path).returncode == 0
    mounted.ended = True
    assert not is_mounted(mounted.path)


def mount_command(binary, source, place, folder):
    return [str(binary), "mount", "-f", source, str(place), "-o", f"cache_dir={folder}/cache"]


@pytest.mark.root
def test_without_a_fuse_device_it_says_so(modelfs_bin, place, sample_source, tmp_path):
    inner = "mount -t tmpfs tmpfs /dev && exec "
    inner += shlex.join(mount_command(modelfs_bin, sample_source, place, tmp_path))
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inner],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.PIPE,
        env=environment(),
    )
    assert done.returncode in SYSEXITS
    assert "/dev/fuse" in done.stderr


@pytest.mark.root
def test_without_rights_to_the_fuse_device_it_says_so(modelfs_bin, place, tmp_path):
    inner = "mount -t tmpfs tmpfs /dev && mknod -m 600 /dev/fuse c 10 229"
    inner += " && mknod -m 666 /dev/null c 1 3 && exec "
    # The tree may lie where nobody else may look.
    binary, models = tmp_path / "modelfs", tmp_path / "models"
    shutil.copy(modelfs_bin, binary)
    (models / "p/m").mkdir(parents=True)
    command = mount_command(binary, f"dir://{models}", place, tmp_path)
    inner += shlex.join([*AS_NOBODY, *command])
    let_others_in(tmp_path)
    os.chown(place, 65534, 65534)
    (tmp_path / "cache").mkdir()
    os.chown(tmp_path / "cache", 65534, 65534)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inner],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
    )
    assert done.returncode in SYSEXITS, done.stderr
    assert "fuse" in done.stderr


def test_without_fusermount_root_can_still_mount(mount, sample_source):
    assert shutil.which("fusermount3")
    if os.geteuid() != 0:
        pytest.skip("needs to be root")
    mounted = mount(sample_source, env={"PATH": "/nowhere"})
    assert os.listdir(mounted) == ["mnist"]


# Keys.


def private(registry):
    registry.add_model("p", "m", files={"x": b"1"})
    registry.api_keys.add("a-secret-key")


@pytest.mark.parametrize("variable", ["PAPERSPACE_API_KEY", "MODELFS_API_KEY"])
def test_a_key_from_the_environment_opens_the_registry(variable, mount, registry):
    private(registry)
    mounted = mount(registry.source, env={variable: "a-secret-key"})
    assert (mounted / "p/m/files/x").read_bytes() == b"1"
    sent = {r.headers.get("x-api-key") for r in registry.requests if r.route == "content"}
    assert sent == {None}


def test_a_missing_or_wrong_key_is_eacces_and_says_what_to_do(mount, registry, expected_log):
    expected_log(LOG)
    private(registry)
    failed = mount(registry.source, wait=False, env={"MODELFS_API_KEY": "wrong-secret"})
    mounted = wait_mount_table(lambda: is_mounted(failed.path), failed.process, 20)
    if mounted:
        with pytest.raises(PermissionError):
            os.listdir(failed)
    failed.end(expect_failure=True)
    assert "401" in failed.log_text() and "API_KEY" in failed.log_text()
    assert "wrong-secret" not in failed.log_text()


def test_a_key_from_the_configuration_of_the_service_opens_the_registry(mount, registry, tmp_path):
    private(registry)
    config = tmp_path / "home/.paperspace/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"apiKey": "a-secret-key"}')
    config.chmod(0o600)
    mounted = mount(registry.source, env={"HOME": tmp_path / "home"})
    assert (mounted / "p/m/files/x").read_bytes() == b"1"


def test_a_key_is_in_no_log_and_on_no_command_line(mount, registry, tmp_path, expected_log):
    expected_log(".")
    private(registry)
    mounted = mount(registry.source, env={"MODELFS_API_KEY": "a-secret-key"}, debug=True)
    assert (mounted / "p/m/files/x").read_bytes() == b"1"
    assert "a-secret-key" not in command_of(mounted.pid)
    assert "a-secret-key" not in (mounted / ".modelfs/config").read_text()
    mounted.end()
    assert "a-secret-key" not in mounted.log_text() and "Signature=" not in mounted.log_text()


# The log.


def test_the_log_goes_to_a_file_when_asked(mount, registry, tmp_path):
    registry.add_model("p", "m", files={"x": b"1"})
    mounted = mount(registry.source, log_file=tmp_path / "log.txt", deadline=2)
    registry.fail("models", fake.status(404))
    with pytest.raises(OSError):
        os.listdir(mounted / "p")
    mounted.end()
    assert mounted.log_text() == ""
    assert "404" in (tmp_path / "log.txt").read_text()
    assert os.stat(tmp_path / "log.txt").st_mode & 0o777 == 0o600


def test_help_tells_each_option_with_its_default(modelfs_bin):
    done = run_modelfs(modelfs_bin, "mount", "--help")
    assert done.returncode == 0
    for option in (
        "cache_dir",
        "cache_size",
        "memory",
        "attr_timeout",
        "entry_timeout",
        "list_timeout",
        "deadline",
        "allow_other",
        "uid",
        "gid",
        "umask",
        "log_file",
        "debug",
    ):
        assert option in done.stdout
    assert "default" in done.stdout


# The kernel's read-ahead.


def read_ahead_kib(mounted):
    device = os.stat(mounted.path).st_dev
    path = f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb"
    return int(pathlib.Path(path).read_text())


@pytest.mark.root
@pytest.mark.parametrize("option, kib", [(None, 4096), (1024, 1024), (0, 128)])
def test_the_kernels_read_ahead_is_raised(option, kib, mount, sample_source):
    if not os.access("/sys/class/bdi", os.W_OK):
        pytest.skip("/sys is not ours to write")
    mounted = mount(sample_source, **({} if option is None else {"read_ahead": option}))
    (mounted / "mnist/cnn/latest/checkpoint").read_bytes()
    assert read_ahead_kib(mounted) == kib
