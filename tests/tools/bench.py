# SPDX-License-Identifier: Apache-2.0
"""What scripts/bench measures: bench.py MODELFS CEILING JSON-FILE.

The registry is a real `modelfs serve` on this machine, its files in the page cache, so that what is
measured is the way from a socket to a reader and not a disk. Each figure is the median of
BENCH_RUNS rounds (3), over BENCH_MIB MiB (1024) of content made from a seed.

  curl to /dev/null    what the network side gives at best: no file, no cache, one connection
  curl to a new file   what a download gives: that and new pages of the page cache
  ceiling              a FUSE filesystem that only maps a file; read-ahead as our mount has it
  cold                 an empty cache: bytes come from the registry, and go to readers and the cache
  warm                 a later mount: bytes come from the cache's file, on disk or in memory
  again                the same mount: bytes come from the kernel's page cache
"""

import contextlib
import http.client
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from fake_registry import FakeRegistry
from processes import Mount, Server, is_mounted, wait_mount_table
from seeded import Seeded

MIB = 1 << 20
RUNS = int(os.environ.get("BENCH_RUNS", "3"))
SIZE = int(os.environ.get("BENCH_MIB", "1024")) * MIB
RANDOM_BYTES = 256 << 10
RANDOM_READS = max(16, min(1000, SIZE // RANDOM_BYTES // 4))
N_FILES = int(os.environ.get("BENCH_FILES", "20000"))
N_READERS = 16
# What 16 readers read: this many files of SIZE.
N_BIG_FILES = 4


class Table:
    """Seconds by figure, round for round."""

    def __init__(self):
        self.seconds = {}
        self.bytes = {}

    def add(self, name, seconds, n_bytes):
        self.seconds.setdefault(name, []).append(seconds)
        self.bytes[name] = n_bytes
        print(f"  {name:42} {seconds:9.3f} s", file=sys.stderr, flush=True)

    def median(self, name):
        return statistics.median(self.seconds[name])

    def rows(self):
        for name, n_bytes in self.bytes.items():
            seconds = self.median(name)
            yield {
                "name": name,
                "seconds": seconds,
                "mib_per_s": n_bytes / MIB / seconds,
                "bytes": n_bytes,
                "runs": self.seconds[name],
            }


def timed(action, *arguments):
    began = time.monotonic()
    action(*arguments)
    return time.monotonic() - began


def drop_page_cache():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def quiet(*command):
    subprocess.run(
        [str(c) for c in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def read_through(path):
    quiet("dd", f"if={path}", "of=/dev/null", "bs=1M")


def read_at_random(path):
    """RANDOM_READS aligned reads, each place at most once."""
    places = random.Random(9).sample(range(os.stat(path).st_size // RANDOM_BYTES), RANDOM_READS)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for place in places:
            os.pread(fd, RANDOM_BYTES, place * RANDOM_BYTES)
    finally:
        os.close(fd)


class Bench:
    def __init__(self, modelfs, ceiling, folder):
        self.modelfs, self.ceiling, self.folder = modelfs, ceiling, folder
        self.table = Table()
        self.n_mounts = 0
        self.server = None
        self.ends = contextlib.ExitStack()

    def mount(self, source, cache, **options):
        self.n_mounts += 1
        target = self.folder / "mnt"
        target.mkdir(exist_ok=True)
        log = self.folder / f"mount{self.n_mounts}.log"
        options = {"cache_dir": cache, "cache_size": f"{8 * SIZE // MIB}M", **options}
        mounted = Mount(self.modelfs, source, target, options, log, allowed=["."])
        self.ends.callback(mounted.end)
        return mounted.wait()

    # The registry.

    def fill(self):
        """A served registry with N_BIG_FILES models of one file each; keeps the first file."""
        self.server = Server(
            self.modelfs, self.folder / "registry", self.folder / "serve.log", ["."]
        ).start()
        self.ends.callback(self.server.stop)
        self.plain = self.folder / "plain.bin"
        for number in range(N_BIG_FILES):
            path = self.folder / "data.bin"
            Seeded(number, SIZE).write_to(path)
            self.server.push(path, "bench", f"big{number}", "Custom")
            if number == 0:
                path.rename(self.plain)
            else:
                path.unlink()

    def link(self):
        """A signed URL of the first file."""
        body = {"filter": {"where": {"and": [{"name": "big0"}]}}}
        models = self.ask("/mlModels/getModelList/?limit=-1", body)["modelList"]
        [model] = [m for m in models if m["name"] == "big0"]
        [row] = self.ask("/mlModels/listFiles/", {"id": model["id"], "links": True})
        return row["url"]

    def ask(self, path, body):
        host = self.server.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request(
            "GET", path, body=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        return json.loads(connection.getresponse().read())

    def warm_registry(self):
        """The registry's files come from memory in every round."""
        for path in (self.folder / "registry").rglob("*"):
            if path.is_file() and path.stat().st_size == SIZE:
                read_through(path)

    # One round of each.

    def curl(self):
        url, target = self.link(), self.folder / "curl.bin"
        self.table.add(
            "curl to /dev/null", timed(quiet, "curl", "-sS", "-o", "/dev/null", url), SIZE
        )
        self.table.add("curl to a new file", timed(quiet, "curl", "-sS", "-o", target, url), SIZE)
        target.unlink()

    def sequential(self):
        cache = self.folder / "cache"
        mounted = self.mount(self.server.source, cache)
        path = self.big_file(mounted, 0)
        self.table.add("sequential, cold", timed(read_through, path), SIZE)
        self.table.add("sequential, again (page cache)", timed(read_through, path), SIZE)
        mounted.end()
        self.sequential_warm("sequential, warm (cache in memory)", cache)
        drop_page_cache()
        self.sequential_warm("sequential, warm (cache on disk)", cache)
        shutil.rmtree(cache)

    def sequential_warm(self, name, cache):
        mounted = self.mount(self.server.source, cache)
        path = self.big_file(mounted, 0)
        self.table.add(name, timed(read_through, path), SIZE)
        mounted.end()

    def random(self):
        cache = self.folder / "cache"
        mounted = self.mount(self.server.source, cache)
        self.table.add(
            "random 256 KiB, cold",
            timed(read_at_random, self.big_file(mounted, 0)),
            RANDOM_READS * RANDOM_BYTES,
        )
        mounted.end()
        mounted = self.mount(self.server.source, cache)
        self.table.add(
            "random 256 KiB, warm",
            timed(read_at_random, self.big_file(mounted, 0)),
            RANDOM_READS * RANDOM_BYTES,
        )
        self.read_ahead_kb = read_ahead_path(mounted.path).read_text().strip()
        mounted.end()
        shutil.rmtree(cache)

    def fuse_ceiling(self):
        target = self.folder / "mnt"
        process = subprocess.Popen([self.ceiling, self.plain, target])
        self.ends.callback(process.terminate)
        assert wait_mount_table(lambda: is_mounted(target), process, 60)
        read_ahead_path(target).write_text(self.read_ahead_kb)
        path = target / "file"
        self.table.add(
            "ceiling: random 256 KiB", timed(read_at_random, path), RANDOM_READS * RANDOM_BYTES
        )
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        self.table.add("ceiling: sequential", timed(read_through, path), SIZE)
        self.table.add("ceiling: sequential, again", timed(read_through, path), SIZE)
        process.terminate()
        assert process.wait(30) == 0

    @staticmethod
    def big_file(mounted, number):
        return mounted / f"bench/big{number}/files/data.bin"

    # Listings.

    def listing(self, registry):
        cache = self.folder / "cache"
        mounted = self.mount(registry.source, cache)
        os.listdir(mounted / "p")
        folder = mounted / "p/many/files"
        self.table.add(f"ls -l of {N_FILES} files, cold", timed(quiet, "ls", "-l", folder), 0)
        self.table.add(f"ls -l of {N_FILES} files, again", timed(quiet, "ls", "-l", folder), 0)
        mounted.end()
        mounted = self.mount(registry.source, cache)
        folder = mounted / "p/many/files"
        self.table.add(f"ls -l of {N_FILES} files, warm", timed(quiet, "ls", "-l", folder), 0)
        mounted.end()
        shutil.rmtree(cache)
        body = json.dumps({"id": next(iter(registry.models)), "links": True, "size": True})
        command = [
            "curl",
            "-sS",
            "-X",
            "GET",
            "-d",
            body,
            "-o",
            "/dev/null",
            f"{registry.url}/mlModels/listFiles/",
        ]
        self.table.add("curl of that listing", timed(quiet, *command), 0)

    # Memory.

    def memory(self):
        """Peak memory of the mount while 16 readers read all big files."""
        mounted = self.mount(
            self.server.source, self.folder / "cache", cache_size=f"{2 * SIZE // MIB}M"
        )
        peak, done = {"RssAnon": 0, "VmRSS": 0}, threading.Event()
        watcher = threading.Thread(target=watch_memory, args=(mounted.pid, peak, done))
        watcher.start()
        part = N_BIG_FILES * SIZE // N_READERS // MIB
        readers = []
        for number in range(N_READERS):
            place, within = divmod(number * part, SIZE // MIB)
            command = [
                "dd",
                f"if={self.big_file(mounted, place)}",
                "of=/dev/null",
                "bs=1M",
                f"skip={within}",
                f"count={part}",
            ]
            readers.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        began = time.monotonic()
        for reader in readers:
            assert reader.wait() == 0
        self.table.add(
            f"{N_READERS} readers, cold, together", time.monotonic() - began, N_BIG_FILES * SIZE
        )
        done.set()
        watcher.join()
        mounted.end()
        return peak


def read_ahead_path(path):
    device = os.stat(path).st_dev
    return pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")


def watch_memory(pid, peak, done):
    while not done.wait(0.05):
        words = pathlib.Path(f"/proc/{pid}/status").read_text().split()
        for name in peak:
            peak[name] = max(peak[name], int(words[words.index(f"{name}:") + 1]) * 1024)


def print_table(table, peak):
    """Ratios are speeds: 1.00 is as fast, 2.00 twice as fast as what the column names."""
    bases = ["curl to /dev/null", "curl to a new file", "ceiling: sequential"]
    print(
        f"\n{'median of ' + str(RUNS):42} {'seconds':>9} {'MiB/s':>8}   x curl   x curl    x FUSE"
    )
    print(f"{'':42} {'':9} {'':8}   (null)   (file)   ceiling")
    for row in table.rows():
        ratios = [ratio(table, row, base) for base in bases]
        speed = f"{row['mib_per_s']:8.0f}" if row["bytes"] else f"{'':8}"
        columns = f"{ratios[0]:>8} {ratios[1]:>8} {ratios[2]:>9}"
        print(f"{row['name']:42} {row['seconds']:9.3f} {speed} {columns}")
    own, all_of_it = peak["RssAnon"] / MIB, peak["VmRSS"] / MIB
    print(
        f"\nmemory of the mount while {N_READERS} readers read {N_BIG_FILES * SIZE // MIB} MiB: "
        f"{own:.0f} MiB of its own, {all_of_it:.0f} MiB with the mapped cache file"
    )


def ratio(table, row, base):
    if not row["bytes"]:
        return ""
    if row["name"].startswith("random"):
        base = base.replace("ceiling: sequential", "ceiling: random 256 KiB")
    base_speed = table.bytes[base] / MIB / table.median(base)
    return f"{row['mib_per_s'] / base_speed:.2f}"


def many_files():
    registry = FakeRegistry()
    registry.add_model(
        "p", "many", kind="Custom", files={f"shard-{i:06d}.bin": b"x" for i in range(N_FILES)}
    )
    return registry.start()


def main(modelfs, ceiling, json_path):
    folder = pathlib.Path(
        tempfile.mkdtemp(prefix="modelfs-bench.", dir=os.environ.get("TMPDIR", "/var/tmp"))
    )
    bench = Bench(os.path.abspath(modelfs), os.path.abspath(ceiling), folder)
    with contextlib.ExitStack() as ends:
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        ends.push(bench.ends)
        registry = many_files()
        ends.callback(registry.stop)
        bench.fill()
        for number in range(RUNS):
            print(f"round {number + 1} of {RUNS}", file=sys.stderr)
            bench.warm_registry()
            bench.curl()
            bench.sequential()
            bench.warm_registry()
            bench.random()
            bench.fuse_ceiling()
            bench.listing(registry)
        bench.warm_registry()
        peak = bench.memory()
    print_table(bench.table, peak)
    found = {
        "rows": list(bench.table.rows()),
        "memory_bytes": peak,
        "runs": RUNS,
        "cpus": os.cpu_count(),
    }
    pathlib.Path(json_path).write_text(json.dumps(found, indent=1) + "\n")
    print(f"\nfigures: {json_path}")


if __name__ == "__main__":
    main(*sys.argv[1:])
