# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures: bench.py MODELFS TESTS-FOLDER [--only PATTERN] [--list].

Every row is measured in BENCH_RUNS rounds, all rows in each, beside the programs it is compared
with; a ratio is of two figures of one round, and what is shown is the median of the rounds. A row
that fails says so and takes no other down.

  bench_sources   where bytes come from: modelfs serve, nginx, an S3 server; the far link
  bench_rivals    other filesystems over the same bytes
  bench_readers   the processes that read
  bench_machine   what the machine is, what a process uses, the page cache
  bench_figures   the figures, as a table and as JSON
  bench_picture   throughput over time, as SVG
  bench_near, bench_far, bench_cache, bench_names
                  the rows: without a link, over the far link, from the cache, of many names
"""

import argparse
import contextlib
import datetime
import fnmatch
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import bench_cache
import bench_far
import bench_machine
import bench_names
import bench_near
import bench_picture
from bench_figures import Figures
from bench_readers import read
from bench_rivals import FAR_BYTES, KNOWN, Rivals
from bench_sources import MIB, Sources
from processes import Mount, Watchdog, is_mounted, wait_mount_table

ROWS = [row for part in (bench_near, bench_far, bench_cache, bench_names) for row in part.ROWS]
# A row that takes longer hangs, and its mounts are killed.
ROW_S = 1200
# A connection gets 40 of the 300 MiB/s of the far link.
N_CURLS = 10


def knob(name, default):
    return int(os.environ.get(name) or default)


class Bench:
    """What rows use: sources, rivals, mounts, and figures that several rows are set beside."""

    def __init__(self, modelfs, tests, folder):
        self.modelfs, self.folder = os.path.abspath(modelfs), folder
        self.tests = pathlib.Path(tests).resolve()
        self.relay, self.ceiling_program = self.tests / "relay", self.tests / "ceiling"
        self.size = knob("BENCH_MIB", 1024) * MIB
        self.runs = knob("BENCH_RUNS", 5)
        self.n_files = knob("BENCH_FILES", 1000000)
        self.n_small = knob("BENCH_SMALL_FILES", 5000)
        self.figures = Figures(row.title for row in ROWS)
        self.ends, self.row_ends = contextlib.ExitStack(), contextlib.ExitStack()
        self.sources = Sources(self)
        self.rivals = Rivals(self)
        self.in_round, self.number, self.watchdog = {}, 0, None
        self.interrupted = False

    def find(self, name, variable=None):
        """A program: named by a variable, or on the path; None, and a note, when it is neither."""
        found = shutil.which(os.environ.get(variable or "") or name)
        if not found:
            self.figures.note(None, f"{name}: skipped, not installed")
        return found and os.path.abspath(found)

    # Mounts.

    def new_folder(self, name):
        self.number += 1
        path = self.folder / f"{name}{self.number}"
        path.mkdir()
        self.row_ends.callback(shutil.rmtree, path, ignore_errors=True)
        return path

    def mount(self, listing, cache=None, **options):
        """A mount of ours with an empty cache, or the one given. Ends with the row."""
        target = self.folder / "mnt"
        target.mkdir(exist_ok=True)
        self.number += 1
        log = self.folder / f"mount{self.number}.log"
        options = {
            "cache_dir": cache or self.new_folder("cache"),
            "cache_size": f"{8 * self.size // MIB + 1024}M",
            **options,
        }
        mounted = Mount(self.modelfs, listing, target, options, log, allowed=["."])
        self.watchdog.processes.append(mounted.process)
        self.row_ends.callback(mounted.end)
        return mounted.wait()

    def mount_ceiling(self, cold=False, read_ahead_kb=4096):
        """The ceiling program over the plain file; `cold`: its file is not in memory before."""
        plain, target = self.sources.plain(), self.folder / "ceiling"
        target.mkdir(exist_ok=True)
        words = [self.ceiling_program, *(["--cold"] if cold else []), plain, target]
        process = subprocess.Popen(words)
        self.watchdog.processes.append(process)

        def end():
            process.terminate()
            process.wait(30)

        self.row_ends.callback(end)
        assert wait_mount_table(lambda: is_mounted(target), process, 60), "no ceiling"
        bench_machine.read_ahead_path(target).write_text(str(read_ahead_kb))
        return target / "file", end

    def read(self, kind, copies=2, **job):
        """What a reader found that takes new memory for so many copies of the big file: one of
        the mount and one of a cache's file."""
        bench_machine.provide_memory(self.folder, copies * self.size)
        return read(kind, **job)

    # Figures that several rows of a round are set beside, measured when a row first asks.

    def once(self, name, measure):
        if name not in self.in_round:
            self.in_round[name] = measure()
        return self.in_round[name]

    def curl(self, source, to_file):
        """MiB/s of curl, to /dev/null or to a new file on the cache's disk."""
        return self.once(f"curl {source} {to_file}", lambda: self._curl(source, to_file))

    def _curl(self, name, to_file):
        source, target = self.sources(name), self.folder / "curl.bin"
        source.warm()
        os.sync()
        bench_machine.provide_memory(self.folder, self.size)
        command = ["curl", "-sSf", "-o", target if to_file else "/dev/null", source.url]
        run = subprocess.run(
            [*command, "-w", "%{time_total}"], capture_output=True, text=True, check=True
        )
        target.unlink(missing_ok=True)
        speed = self.size / MIB / float(run.stdout)
        where = "to a new file" if to_file else "to /dev/null"
        self.figures.add("beside: curl", f"{source.name} {where}", speed, "MiB/s", None)
        return speed

    def far_curls(self):
        """MiB/s of several curls that share the far link: what it lets through here and now."""
        return self.once("far curls", self._far_curls)

    def _far_curls(self):
        serve, part = self.sources("serve"), self.size // N_CURLS
        url = serve.url.replace(serve.address, self.sources.far(serve.address))
        began = time.monotonic()
        curls = [
            subprocess.Popen(
                ["curl", "-sSf", "-o", "/dev/null", "-r", f"{n * part}-{(n + 1) * part - 1}", url]
            )
            for n in range(N_CURLS)
        ]
        assert not any([curl.wait() for curl in curls]), "a curl over the far link failed"
        speed = N_CURLS * part / MIB / (time.monotonic() - began)
        self.figures.add("beside: curl", f"{N_CURLS} over the far link", speed, "MiB/s", None)
        return speed

    def rival(self, name, mode, far=False):
        """MiB/s of a rival that reads the big file cold; None when it is not here."""
        if name not in self.rivals:
            return None
        key = f"{name} {mode} {far}"
        try:
            return self.once(key, lambda: self._rival(name, mode, far))
        except (RuntimeError, OSError, AssertionError) as failure:
            self.figures.note("beside: rivals", f"{name}, {mode}: failed: {failure}")
            self.in_round[key] = None
            return None

    def _rival(self, name, mode, far):
        mounted = self.rivals.mount(name, mode, far)
        self.sources(KNOWN[name].source).warm()
        path = mounted.path / "big/data.bin"
        path.stat()
        limit = min(self.size, FAR_BYTES) if far else self.size
        before = bench_machine.cpu_seconds(mounted.pid)
        found = self.read("sequential", paths=[str(path)], limit=limit)
        cpu = bench_machine.cpu_seconds(mounted.pid) - before
        mounted.end()
        speed, what = found["bytes"] / MIB / found["seconds"], f"{name}, cache {mode}"
        where = "far" if far else "near"
        if limit < self.size:
            self.figures.note("beside: rivals", f"far ones read the first {limit // MIB} MiB")
        self.figures.add("beside: rivals", f"{where}, {what}", speed, "MiB/s", None)
        gib = found["bytes"] / MIB / 1024
        self.figures.add("beside: rivals", f"{where}, {what}, CPU", cpu / gib, "s/GiB", None)
        return speed

    # Rounds.

    def interrupt(self, *_):
        """SIGINT, which ends servers and mounts, too: no row may go on."""
        self.interrupted = True
        raise KeyboardInterrupt

    def run(self, rows):
        for number in range(self.runs):
            print(f"round {number + 1} of {self.runs}", file=sys.stderr, flush=True)
            self.in_round.clear()
            for row in rows:
                if not (row.once and number):
                    self.run_row(row)

    def run_row(self, row):
        out = self.figures.row(row.title)
        self.watchdog = Watchdog(ROW_S)
        try:
            with contextlib.ExitStack() as self.row_ends:
                row.measure(self, out)
        except Exception as failure:  # whatever it is, the other rows go on
            if os.environ.get("BENCH_DEBUG"):
                traceback.print_exc()
            if self.interrupted:
                raise KeyboardInterrupt from failure
            out.note(f"FAILED: {type(failure).__name__}: {str(failure)[:300]}")
        finally:
            self.watchdog.stop()
        if row.once:
            out.note("measured once")

    def versions(self):
        found = {
            "modelfs": bench_machine.version(self.modelfs, "--version"),
            "curl": bench_machine.version("curl", "--version"),
            "nginx": bench_machine.version("nginx", "-v"),
            "python": sys.version.split()[0],
        }
        versitygw = os.environ.get("BENCH_VERSITYGW") or "versitygw"
        found["versitygw"] = bench_machine.version(versitygw, "--version")
        for name, binary in self.rivals.binaries.items():
            words = [] if name == "fake-gcs-server" else ["--version"]
            found[name] = bench_machine.version(binary, *words)
        return found


def pick(pattern):
    """Rows with a word of the pattern in their title; | stands between words."""
    words = [word.strip() for word in (pattern or "*").split("|")]
    return [
        row
        for row in ROWS
        if any(fnmatch.fnmatch(row.title.lower(), f"*{word.lower()}*") for word in words)
    ]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("modelfs")
    parser.add_argument("tests")
    parser.add_argument("--only", default=os.environ.get("BENCH_ONLY"), metavar="PATTERN")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def write_all(bench, machine, began):
    """The table, the figures as JSON, the picture."""
    figures = bench.figures
    machine["load_after"] = os.getloadavg()[0]
    about = {
        "began": began.isoformat(timespec="seconds"),
        "seconds": (datetime.datetime.now(datetime.timezone.utc) - began).total_seconds(),
        "runs": bench.runs,
        "mib": bench.size // MIB,
        "files": bench.n_files,
        "small_files": bench.n_small,
    }
    versions = bench.versions()
    figures.print_table()
    facts = {k: v if isinstance(v, str) else f"{v:g}" for k, v in machine.items()}
    print("\n" + ", ".join(f"{name} {fact}" for name, fact in facts.items()))
    print(", ".join(f"{key}: {value}" for key, value in versions.items() if value))
    print(f"median of {bench.runs}, {about['mib']} MiB, {about['seconds']:.0f} s in all")
    path = pathlib.Path(os.environ.get("BENCH_JSON") or "build-release/bench.json")
    figures.write_json(path, {"machine": machine, "versions": versions, "about": about})
    print(f"figures: {path}")
    if figures.series:
        path = pathlib.Path(os.environ.get("BENCH_PICTURE") or "build-release/bench.svg")
        path.write_text(bench_picture.draw(figures.series))
        print(f"picture: {path}")


def main():
    arguments = parse_arguments()
    rows = pick(arguments.only)
    if arguments.list or not rows:
        print("\n".join(row.title for row in rows or ROWS))
        return 0 if rows else 64
    temporary = os.environ.get("TMPDIR", "/var/tmp")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="modelfs-bench.", dir=temporary))
    began = datetime.datetime.now(datetime.timezone.utc)
    try:
        bench = Bench(arguments.modelfs, arguments.tests, folder)
        machine = bench_machine.facts(folder)
        signal.signal(signal.SIGINT, bench.interrupt)
        with bench.ends:
            try:
                bench.run(rows)
            except KeyboardInterrupt:
                bench.figures.note(None, "interrupted: these are the figures until then")
            write_all(bench, machine, began)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
