# SPDX-License-Identifier: Apache-2.0
"""The machine the bench runs on: what it is, what its processes use, its page cache."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def facts(folder):
    """What a figure is worth nothing without."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu.group(1) if cpu else os.uname().machine,
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(memory.group(1)) // 1024,
        "kernel": os.uname().release,
        "filesystem": filesystem_of(folder),
        "load": os.getloadavg()[0],
    }


def filesystem_of(folder):
    """The type of filesystem a folder is on."""
    device = os.stat(folder).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[2] == wanted:
            return fields[fields.index("-") + 1]
    return "?"


def version(binary, *words):
    """What a program says of its version, asked by @words, in short; one that says nothing may have
    been built from a Go module, whose version is in it."""
    if not binary or not shutil.which(binary):
        return None
    if words:
        run = subprocess.run([binary, *words], capture_output=True, text=True, timeout=60)
        found = re.search(r"(?<![\w.])v?\d+\.\d+[\w.+-]*", run.stdout + run.stderr)
    else:
        found = None
    if found:
        return found.group(0)
    if shutil.which("go"):
        run = subprocess.run(["go", "version", "-m", binary], capture_output=True, text=True)
        found = re.search(r"^\s+mod\s+\S+\s+(\S+)", run.stdout, re.MULTILINE)
    return found.group(1) if found else "?"


def drop_page_cache(what=3):
    """What is in memory of files goes; 1 leaves names and inodes."""
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text(str(what))


def provide_memory(folder, n_bytes):
    """Has this machine really have so much free memory. A virtual one gives what is free back to
    its host, and each page is then provided anew at its first touch: that costs up to a second a
    GiB, more than all that is measured here, and falls on whoever comes first. Pages of a file
    that were just let go are taken before all others."""
    room = memoryview(bytearray(MIB))
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        file.truncate(n_bytes)
        while file.readinto(room):
            pass
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cpu_seconds(pid):
    """User and system time of a process and its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_idle(pid, quiet_s=0.3, most_s=20):
    """Waits until a process computed nothing for a while: all it had to do after a read is done."""
    deadline, since, last = time.monotonic() + most_s, time.monotonic(), cpu_seconds(pid)
    while time.monotonic() < min(deadline, since + quiet_s):
        time.sleep(0.05)
        now = cpu_seconds(pid)
        if now > last:
            since, last = time.monotonic(), now


def memory(pid, name="RssAnon"):
    """One line of /proc/PID/status, in bytes."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE).group(1)) * 1024


def folder_bytes(folder):
    """What the files of a folder take: the larger of their length and their blocks, since a limit
    is for both."""
    total = 0
    for path in pathlib.Path(folder).rglob("*"):
        try:
            st = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            total += max(st.st_size, st.st_blocks * 512)
    return total


def read_ahead_path(path):
    """Where the kernel's read-ahead of a mount stands."""
    device = os.stat(path).st_dev
    return pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")


class Watch(threading.Thread):
    """Samples figures while something runs: `with Watch(lambda: {...}) as watch: ...`, then
    watch.most."""

    def __init__(self, sample, step_s=0.05):
        super().__init__(daemon=True)
        self.sample, self.step_s = sample, step_s
        self.most, self.samples, self.failure = {}, [], None
        self._done = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self._done.set()
        self.join()
        if self.failure and not error[0]:
            raise self.failure

    def run(self):
        try:
            while True:
                self._take()
                if self._done.wait(self.step_s):
                    break
        except (OSError, AttributeError, KeyError) as failure:
            self.failure = failure

    def _take(self):
        found = self.sample()
        self.samples.append((time.monotonic(), found))
        for name, value in found.items():
            self.most[name] = max(self.most.get(name, 0), value)
