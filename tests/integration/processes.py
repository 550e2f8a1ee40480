# SPDX-License-Identifier: Apache-2.0
"""modelfs as tests start it: a mount, a registry server, a push. Each owns process and log."""

import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import threading
import time

SANITIZER = re.compile(
    r"ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|ERROR: LeakSanitizer"
    r"|ERROR: ThreadSanitizer|AddressSanitizer:DEADLYSIGNAL"
)
# What a mount says of trouble: for expected_log().
LOG = "^modelfs(: (info|warning|error)| mount): "
# A sanitizer's build is several times slower; tests that wait say how long for an ordinary one.
SLOWNESS = float(os.environ.get("MODELFS_SLOWNESS", "1"))
# Ends with the tests, even when those are killed.
TIED = [shutil.which("setpriv"), "--pdeathsig", "TERM"]
START_S = 15 * SLOWNESS
END_S = 20 * SLOWNESS


class Failure(AssertionError):
    """What a process did that no test allowed."""


def environment(**extra):
    """A clean environment: nothing of the person who runs the tests gets in."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PAPERSPACE_", "MODELFS_"))}
    env["HOME"] = "/nonexistent"
    env.update({k: str(v) for k, v in extra.items() if v is not None})
    return env


def complaints(log_text, allowed):
    """Lines of a log that should not be there, given the patterns that may."""
    if SANITIZER.search(log_text):
        return [log_text]
    lines = [line for line in log_text.splitlines() if line.strip()]
    return [line for line in lines if not any(re.search(pattern, line) for pattern in allowed)]


def wait_exit(process, seconds):
    """The exit status, or None when it still runs then."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def is_mounted(path):
    """Whether a filesystem is mounted right here. Asks the kernel's table, never the filesystem."""
    return mount_point(path) is not None


def mount_point(path):
    """The mount table's fields for a path: (major:minor, options, type, source), or None."""
    wanted = os.path.realpath(os.path.dirname(path)) + "/" + os.path.basename(path)
    found = None
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[4].replace("\\040", " ") == wanted:
            tail = fields[fields.index("-") + 1 :]
            found = (fields[2], fields[5], tail[0], tail[1])
    return found


def wait_mount_table(condition, process, seconds):
    """Waits until condition() holds, asked again when the mount table changes or a process ends."""
    deadline = time.monotonic() + seconds
    with open("/proc/self/mountinfo") as table:
        pidfd = os.pidfd_open(process.pid)
        poller = select.poll()
        poller.register(table, select.POLLERR | select.POLLPRI)
        poller.register(pidfd, select.POLLIN)
        try:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0 or process.poll() is not None:
                    return condition()
                poller.poll(left * 1000)
                table.seek(0)
                table.read()
        finally:
            os.close(pidfd)
    return True


class Mount:
    """A mount in the foreground. Use as a path, `mount / "project"`; end() must follow."""

    def __init__(self, binary, source, folder, options, log, env=None, allowed=()):
        self.path = pathlib.Path(folder)
        self.binary = binary
        self.source = source
        self.options = options
        self.log = pathlib.Path(log)
        self.allowed = allowed
        self.ended = False
        text = ",".join(f"{k}={v}" if v is not True else k for k, v in options.items())
        command = [*TIED, binary, "mount", "-f", source, str(self.path), "-o", text]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(**(env or {})),
            )

    def __truediv__(self, name):
        return self.path / name

    def __fspath__(self):
        return str(self.path)

    def __str__(self):
        return str(self.path)

    @property
    def pid(self):
        return self.process.pid

    def log_text(self):
        return self.log.read_text(errors="replace")

    def wait(self, seconds=START_S):
        """Waits until it is mounted and answers; fails when it ends before."""
        mounted = wait_mount_table(lambda: is_mounted(self.path), self.process, seconds)
        if not mounted:
            self.end(expect_failure=True)
            raise Failure(f"{self.source} was not mounted: {self.log_text()}")
        os.stat(self.path)
        return self

    def stats(self):
        """The mount's own counters, by name."""
        text = (self.path / ".modelfs" / "stats").read_text()
        pairs = (line.replace(":", " ").split() for line in text.splitlines() if line.strip())
        return {words[0]: int(words[1]) for words in pairs if len(words) > 1 and words[1].isdigit()}

    def rss_bytes(self):
        return _status_bytes(self.pid, "VmRSS")

    def peak_rss_bytes(self):
        return _status_bytes(self.pid, "VmHWM")

    def kill(self):
        """kill -9, and what is left of the mount goes too."""
        self.process.kill()
        self.process.wait(END_S)
        subprocess.run(["fusermount3", "-uz", str(self.path)], capture_output=True, timeout=END_S)
        self.ended = True

    def unmount(self):
        """`modelfs umount DIR`; the process must end by itself, with status 0."""
        command = [self.binary, "umount", str(self.path)]
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=END_S, env=environment()
        )
        status = wait_exit(self.process, END_S) if run.returncode == 0 else None
        if run.returncode != 0 or status != 0 or is_mounted(self.path):
            raise Failure(
                f"umount: status {run.returncode}, mount's status {status}\n"
                f"{run.stderr}{self.log_text()}"
            )

    def end(self, expect_failure=False):
        """Unmounts whatever the state, then complains of what was not right. Safe to call twice."""
        if self.ended:
            return
        self.ended = True
        problem = None
        try:
            if self.process.poll() is None and is_mounted(self.path):
                self.unmount()
        except (Failure, subprocess.TimeoutExpired) as failure:
            problem = failure
        self._force_end()
        self.check_log()
        if problem:
            raise Failure(f"not unmounted cleanly: {problem}")
        if not expect_failure and self.process.returncode != 0:
            raise Failure(f"the mount ended with {self.process.returncode}: {self.log_text()}")

    def _force_end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(END_S)
        if is_mounted(self.path):
            subprocess.run(
                ["fusermount3", "-uz", str(self.path)], capture_output=True, timeout=END_S
            )

    def check_log(self):
        bad = complaints(self.log_text(), self.allowed)
        if bad:
            raise Failure("unexpected in the mount's log:\n" + "\n".join(bad))


def _status_bytes(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE).group(1)) * 1024


class Watchdog:
    """Ends hung mounts after a while, so that a test blocked in the kernel fails."""

    def __init__(self, seconds):
        self.processes = []
        self.fired = False
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _fire(self):
        self.fired = True
        for number in (signal.SIGABRT, signal.SIGKILL):
            for process in self.processes:
                if wait_exit(process, 0) is None:
                    process.send_signal(number)
            for process in self.processes:
                wait_exit(process, 5)

    def stop(self):
        self._timer.cancel()


class Server:
    """A real `modelfs serve` on a port of its own."""

    def __init__(self, binary, data, log, allowed=()):
        self.binary, self.data, self.log, self.allowed = binary, data, pathlib.Path(log), allowed
        self.process = None
        self.url = None

    def start(self):
        listen = self.url.removeprefix("http://") if self.url else "127.0.0.1:0"
        command = [*TIED, self.binary, "serve", "--listen", listen, "--data", str(self.data)]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                env=environment(),
            )
        line = self._first_line()
        found = re.search(r"(http://[0-9.]+:\d+)/?$", line.strip())
        if not found:
            self.process.kill()
            raise Failure(f"modelfs serve said {line!r}: {self.log.read_text()}")
        self.url = found.group(1)
        return self

    def _first_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        return self.process.stdout.readline() if ready else ""

    @property
    def source(self):
        return f"gradient+{self.url}"

    def push(self, path, project, name, kind, metrics=None, check=True):
        """`modelfs push`; returns the finished run."""
        what = ["push", path, "--to", self.url, "--project", project]
        what += ["--name", name, "--type", kind]
        what += ["--metrics", metrics] if metrics else []
        run = run_modelfs(self.binary, *what, seconds=120)
        if check and run.returncode != 0:
            raise Failure(f"modelfs push: status {run.returncode}: {run.stderr}")
        return run

    def add_key(self, name):
        """From now on a key is needed; it is returned."""
        return run_modelfs(
            self.binary, "serve", "--data", self.data, "--add-key", name
        ).stdout.strip()

    def stop(self):
        """SIGTERM; it must end with status 0."""
        process, self.process = self.process, None
        if not process:
            return
        process.terminate()
        status = wait_exit(process, END_S)
        if status is None:
            process.kill()
            process.wait(END_S)
        process.stdout.close()
        bad = complaints(self.log.read_text(errors="replace"), self.allowed)
        if status != 0 or bad:
            raise Failure(f"modelfs serve ended with {status}:\n" + "\n".join(bad))


def run_modelfs(binary, *arguments, seconds=60, **env):
    """Runs one command of modelfs to its end."""
    command = [binary, *[str(a) for a in arguments]]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=seconds * SLOWNESS,
        stdin=subprocess.DEVNULL,
        env=environment(**env),
    )


def need(*tools):
    """Tools that a test runs; they are installed by scripts/test, so a missing one is a failure."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    assert not missing, f"not installed: {missing}"
