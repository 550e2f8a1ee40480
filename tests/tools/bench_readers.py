# SPDX-License-Identifier: Apache-2.0
"""Who reads: each reader is a process of its own, which shares no interpreter with who watches.

    found = read("sequential", paths=[path])           # from start to end
    one = Reader("random", path=..., places=..., bytes=...).go(); one.result()

The process is started and told its job first, and begins when it hears "go": what is timed is no
start of an interpreter. Times are of CLOCK_MONOTONIC, the same in all processes.
"""

import json
import mmap
import os
import select
import subprocess
import sys
import threading
import time

MIB = 1 << 20
PAGE = 4096


class Reader:
    """The side of who starts it. end() may come at any moment."""

    def __init__(self, kind, **job):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say(json.dumps({"kind": kind, **job}))
        assert self._hear(60) == "ready\n", f"the {kind} reader did not start"

    def go(self):
        self._say("go")
        return self

    def result(self, seconds=600):
        """What it found; fails when it failed, or when it takes longer."""
        text = self._hear(seconds)
        self.end()
        found = json.loads(text or '{"error": "it hung or died"}')
        if "error" in found:
            raise RuntimeError(f"a reader failed: {found['error']}")
        return found

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _hear(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline() if ready else ""


def read(kind, **job):
    """Starts a reader and waits for what it found."""
    reader = Reader(kind, **job)
    try:
        return reader.go().result()
    finally:
        if reader.process.poll() is None:
            reader.end()


# What the process does. Each function takes the job's words and returns what it found.


class Progress:
    """Bytes by time, looked at each 50 ms."""

    STEP_S = 0.05

    def __init__(self):
        self.began = time.monotonic()
        self.n_bytes = 0
        self.samples = [(0, 0)]

    def add(self, n):
        self.n_bytes += n
        now = time.monotonic() - self.began
        if now >= self.samples[-1][0] + self.STEP_S:
            self.samples.append((now, self.n_bytes))

    def found(self):
        seconds = time.monotonic() - self.began
        return {
            "seconds": seconds,
            "bytes": self.n_bytes,
            "samples": [*self.samples, (seconds, self.n_bytes)],
        }


def read_all(path, progress, limit, unit=MIB):
    room = memoryview(bytearray(unit))
    with open(path, "rb", buffering=0) as file:
        while limit > 0:
            n = file.readinto(room[: min(unit, limit)])
            if not n:
                break
            limit -= n
            progress.add(n)


def sequential(paths, limit=1 << 62):
    """Each file from its start, by reads of 1 MiB."""
    progress = Progress()
    for path in paths:
        read_all(path, progress, limit)
    return progress.found()


def touch(room, begin, end):
    """Touches one page after another. The loop is in C: a slice with a step takes byte by byte."""
    assert len(room[begin:end:PAGE]) == -(-(end - begin) // PAGE)


def mapped(path):
    """All pages of a map, in order, by one thread."""
    progress = Progress()
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as room:
        for off in range(0, len(room), MIB):
            end = min(off + MIB, len(room))
            touch(room, off, end)
            progress.add(end - off)
    return progress.found()


def first_bytes(paths, bytes):  # the job's own word
    """Seconds of open() and a first read, for each file."""
    found = []
    for path in paths:
        began = time.monotonic()
        with open(path, "rb", buffering=0) as file:
            assert len(file.read(bytes)) == bytes
        found.append(time.monotonic() - began)
    return {"seconds": found}


def random(path, places, bytes):
    """Seconds of a pread at each place, and when each began. Without any advice to the kernel."""
    found, began_at = [], []
    fd = os.open(path, os.O_RDONLY)
    for place in places:
        began = time.monotonic()
        assert len(os.pread(fd, bytes, place)) == bytes
        found.append(time.monotonic() - began)
        began_at.append(began)
    os.close(fd)
    return {"seconds": found, "began": began_at}


def rank(path, number, ranks, part, by_map):
    """One of several that take parts of a file in turn: the n-th, the (n + ranks)-th, ..."""
    began, n_bytes = time.monotonic(), 0
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        room = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if by_map else None
        for begin in range(number * part, size, ranks * part):
            end = min(begin + part, size)
            n_bytes += end - begin
            if by_map:
                touch(room, begin, end)
            else:
                read_part(file.fileno(), begin, end)
    return {"began": began, "ended": time.monotonic(), "bytes": n_bytes}


def read_part(fd, begin, end):
    room = memoryview(bytearray(end - begin))
    while begin < end:
        n = os.preadv(fd, [room[: end - begin]], begin)
        assert n > 0
        begin += n


def scan(path):
    """os.scandir() of one directory, and a stat of each entry."""
    began, n = time.monotonic(), 0
    with os.scandir(path) as entries:
        for entry in entries:
            os.stat(entry.path)
            n += 1
    return {"seconds": time.monotonic() - began, "entries": n}


def look_up(path, names):
    """Seconds of a stat of each name."""
    found = []
    for name in names:
        began = time.monotonic()
        os.stat(f"{path}/{name}")
        found.append(time.monotonic() - began)
    return {"seconds": found}


def crowd(paths, bytes, seconds, places):
    """A thread for each file, for some seconds: every second reads in order, the others at random
    places."""
    end = time.monotonic() + seconds
    n_read, failed = [0] * len(paths), []

    def one(number):
        try:
            fd = os.open(paths[number], os.O_RDONLY)
            size = os.fstat(fd).st_size
            for turn in range(1 << 30):
                if time.monotonic() > end:
                    break
                off = turn * bytes if number % 2 else places[(turn + number * 7) % len(places)]
                n_read[number] += len(os.pread(fd, bytes, off % size))
            os.close(fd)
        except OSError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(paths))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"error": failed[0]} if failed else {"bytes": sum(n_read)}


KINDS = (sequential, mapped, first_bytes, random, rank, scan, look_up, crowd)


def main():
    job = json.loads(sys.stdin.readline())
    action = {kind.__name__: kind for kind in KINDS}[job.pop("kind")]
    print("ready", flush=True)
    if sys.stdin.readline() != "go\n":
        return
    try:
        found = action(**job)
    except (OSError, AssertionError, ValueError) as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
