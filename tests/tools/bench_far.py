# SPDX-License-Identifier: Apache-2.0
"""Rows over the far link: 30 ms there and back, 40 MiB/s a connection, 300 MiB/s in all. The link
is before `modelfs serve`, so listings are behind it, too."""

import pathlib
import shutil
import statistics
import subprocess
import time

from bench_figures import at_least, at_most, percentile
from bench_machine import Watch
from bench_near import RowOf, fetched_by, odd_places
from bench_readers import Reader, read
from bench_sources import BUCKET, CONNECTION_MIB_S, LINK_MIB_S, MIB, RTT_MS
from seeded import Seeded

RANKS, PART = 8, 4 * MIB
ASKED = 256 << 10
N_FIRST = 8
# How many of the small files a rival copies; its time for all is scaled from that.
N_RIVAL_SMALL = 300


def mount_far(bench, **options):
    serve = bench.sources("serve")
    return bench.mount(f"gradient+http://{bench.sources.far(serve.address)}", **options)


def big_path(bench, mounted, number=0):
    """The n-th big file over the link, looked up."""
    path = pathlib.Path(f"{mounted}/bench/{bench.sources.big(number)}/files/data.bin")
    path.stat()
    return str(path)


def prepare(bench, n_big=1):
    for number in range(n_big):
        bench.sources.big(number)
    bench.sources("serve").warm()


def measure_sequential(bench):
    """One reader, cold: what it found, and the most of the stats meanwhile."""
    prepare(bench)
    mounted = mount_far(bench)
    path = big_path(bench, mounted)
    with Watch(mounted.stats) as watch:
        found = read("sequential", paths=[path])
    mounted.end()
    return found, watch.most


def sequential_of(bench):
    return bench.once("far sequential", lambda: measure_sequential(bench))


def sequential(bench, out):
    found, most = sequential_of(bench)
    speed = found["bytes"] / MIB / found["seconds"]
    out.add("modelfs", speed, "MiB/s")
    out.ratio("beside what the link lets through", speed, LINK_MIB_S, at_least(0.97))
    out.ratio("beside ten curls that share the link", speed, bench.far_curls())
    out.add("most bytes in flight", most["memory_used_bytes"] / MIB, "MiB", at_most(96))
    out.series("cold, far link", found["samples"])
    for mode in ("full", "off"):
        out.ratio(f"beside rclone {mode}", speed, bench.rival("rclone", mode, far=True))
    for name in ("mount-s3", "geesefs"):
        out.ratio(f"beside {name}", speed, bench.rival(name, "off", far=True))


def first_maker(seed):
    """Makes two files of 4 MiB like no others: equal content would be known already."""

    def make(folder):
        for number, name in enumerate(("a.bin", "b.bin")):
            Seeded(1000 + 2 * seed + number, 4 * MIB).write_to(folder / name)

    return make


def first_byte(bench, out):
    """open() and the first 128 KiB, of files nobody read before."""
    models = [f"first{number}" for number in range(N_FIRST)]
    for number, model in enumerate(models):
        bench.sources("serve").need(model, first_maker(number))
    prepare(bench)
    mounted = mount_far(bench)
    folder = f"{mounted}/bench"
    path = f"{folder}/first0/files/a.bin"
    [nothing] = read("first_bytes", paths=[path], bytes=128 << 10)["seconds"]
    paths = [f"{folder}/{model}/files/a.bin" for model in models[1:]]
    unknown = read("first_bytes", paths=paths, bytes=128 << 10)["seconds"]
    paths = [f"{folder}/{model}/files/b.bin" for model in models]
    known = read("first_bytes", paths=paths, bytes=128 << 10)["seconds"]
    out.add("listing known, median", statistics.median(known) * 1e3, "ms", at_most(35))
    out.add("listing not known, median", statistics.median(unknown) * 1e3, "ms", at_most(65))
    out.add("nothing known, the first of a mount", nothing * 1e3, "ms")


def random_reads(bench, out):
    """Plain preads without advice to the kernel, at places that are aligned to 4 KiB and not to
    64 KiB; first alone, then while another process reads other files in order."""
    prepare(bench, 4)
    ideal = RTT_MS + ASKED / MIB / CONNECTION_MIB_S * 1e3
    n = min(200, bench.size // MIB // 4)
    mounted = mount_far(bench)
    path = big_path(bench, mounted)
    bulk_paths = [big_path(bench, mounted, number) for number in (1, 2, 3)]
    places = odd_places(bench.size, 2 * n, ASKED, bench.number)
    before = fetched_by(mounted)
    found = read("random", path=path, places=places[:n], bytes=ASKED)
    fetched = fetched_by(mounted) - before
    idle = [s * 1e3 for s in found["seconds"]]
    median = statistics.median(idle)
    out.add("median", median, "ms")
    out.ratio("median, beside a round trip and transfer", median, ideal, at_most(1.2))
    out.ratio("p99, beside a round trip and transfer", percentile(idle, 0.99), ideal, at_most(2))
    out.ratio("bytes fetched, by bytes asked", fetched, n * ASKED, at_most(1.3))
    busy = busy_reads(bulk_paths, path, places[n:])
    out.add("median beside a bulk reader", statistics.median(busy), "ms")
    out.ratio("it, beside the idle median", statistics.median(busy), median, at_most(1.6))
    out.note("plain pread, at places aligned to 4 KiB and not to 64 KiB, no advice to the kernel")


def busy_reads(bulk_paths, path, places):
    """Milliseconds of the reads that began while the bulk reader had the link full."""
    bulk = Reader("sequential", paths=bulk_paths)
    reader = Reader("random", path=path, places=places, bytes=ASKED)
    bulk.go()
    began = time.monotonic()
    time.sleep(0.25)
    reader.go()
    end = began + bulk.result()["seconds"]
    found = reader.result()
    busy = [s * 1e3 for s, at in zip(found["seconds"], found["began"]) if at + s < end]
    assert busy, "the bulk reader was done before the first read: BENCH_MIB is too small"
    return busy


def ranks(bench, out):
    """8 processes take parts of 4 MiB in turn: the n-th reads parts n, n + 8, ..."""
    alone, _ = sequential_of(bench)
    for by_map in (False, True):
        mounted = mount_far(bench)
        path = big_path(bench, mounted)
        bench.sources("serve").warm()
        before = fetched_by(mounted)
        readers = [
            Reader("rank", path=path, number=n, ranks=RANKS, part=PART, by_map=by_map)
            for n in range(RANKS)
        ]
        for reader in readers:
            reader.go()
        found = [reader.result() for reader in readers]
        fetched = fetched_by(mounted) - before
        mounted.end()
        seconds = max(f["ended"] for f in found) - min(f["began"] for f in found)
        assert sum(f["bytes"] for f in found) == bench.size
        how = "mmap" if by_map else "pread"
        out.add(how, bench.size / MIB / seconds, "MiB/s")
        out.ratio(f"{how}, time beside one reader", seconds, alone["seconds"], at_most(1.15))
        out.ratio(f"{how}, bytes fetched by size", fetched, bench.size, at_most(1.02))


def mapped(bench, out):
    alone, _ = sequential_of(bench)
    mounted = mount_far(bench)
    path = big_path(bench, mounted)
    bench.sources("serve").warm()
    found = read("mapped", path=path)
    out.add("modelfs", found["bytes"] / MIB / found["seconds"], "MiB/s")
    out.ratio("beside reads in order", alone["seconds"], found["seconds"], at_least(0.8))


def copy(folder, target, n_files):
    """Seconds of `cp -r`."""
    began = time.monotonic()
    subprocess.run(["cp", "-r", folder, target], check=True, timeout=900)
    seconds = time.monotonic() - began
    found = list(target.iterdir())
    assert len(found) == n_files and all(f.stat().st_size == 8192 for f in found)
    shutil.rmtree(target)
    return seconds


def small_files(bench, out):
    n, plain = bench.n_small, bench.sources.small(bench.n_small)
    bench.sources("serve").need("small", lambda folder: copy_all(plain, folder))
    prepare(bench)
    mounted = mount_far(bench)
    seconds = copy(f"{mounted}/bench/small/files", bench.new_folder("copy") / "files", n)
    mounted.end()
    each = seconds / n * 1e3
    out.add(f"cp -r of {n} files", seconds, "s")
    out.add("a file", each, "ms")
    for name, aim in (("rclone", at_least(25)), ("geesefs", at_least(15))):
        if name in bench.rivals:
            rival = rival_copy(bench, name, min(n, N_RIVAL_SMALL))
            out.add(f"{name}, a file (of {min(n, N_RIVAL_SMALL)})", rival, "ms")
            out.ratio(f"{name}'s time by ours, scaled to {n} files", rival, each, aim)


def copy_all(source, target):
    for path in source.iterdir():
        shutil.copy(path, target / path.name)


def rival_copy(bench, name, n_files):
    """Milliseconds a file of a rival, listing included."""
    plain = bench.sources.small(n_files)
    if name == "geesefs" and bench.sources("s3"):
        bench.once("small files in S3", lambda: put_small(bench, plain))
    mounted = bench.rivals.mount(name, "full", far=True)
    try:
        target = bench.new_folder("copy") / "files"
        return copy(mounted.path / plain.name, target, n_files) / n_files * 1e3
    finally:
        mounted.end()


def put_small(bench, plain):
    for path in plain.iterdir():
        bench.sources("s3").put(f"/{BUCKET}/{plain.name}/{path.name}", path)


ROWS = [
    RowOf("far, cold sequential", sequential),
    RowOf("far, time to first byte", first_byte),
    RowOf("far, random 256 KiB, cold", random_reads),
    RowOf("far, 8 ranks take parts of 4 MiB in turn", ranks),
    RowOf("far, mmap in order, a page after another", mapped),
    RowOf("far, many files of 8 KiB, cold cp -r", small_files),
]
