# SPDX-License-Identifier: Apache-2.0
"""Rows of sources on this machine: the way from a socket to a reader, and no link."""

import os
import random
import statistics
import time

from bench_figures import at_least, at_most, percentile
from bench_machine import Watch, cpu_seconds, folder_bytes, memory, provide_memory, wait_idle
from bench_readers import Reader, read
from bench_sources import MIB

GIB = 1 << 30
PIECE, PAGE = 64 << 10, 4096
SOURCES = ("serve", "nginx", "s3")


class RowOf:
    """One row: its title, what measures it, whether one round is enough."""

    def __init__(self, title, measure, once=False):
        self.title, self.measure, self.once = title, measure, once


def file_of(bench, source_name, mounted):
    """The big file of a source in a mount of it, looked up: its listing is known from here on."""
    source = bench.sources(source_name)
    model = bench.sources.big() if source_name == "serve" else source.model
    path = f"{mounted}/bench/{model}/files/data.bin"
    os.stat(path)
    source.warm()
    return path


def fetched_by(mounted, most_s=10):
    """Bytes a mount fetched so far, once nothing is on its way any more."""
    deadline = time.monotonic() + most_s
    stats = mounted.stats()
    while stats["requests_now"] and time.monotonic() < deadline:
        time.sleep(0.02)
        stats = mounted.stats()
    return stats["bytes_fetched"]


def odd_places(size, n, length, seed):
    """Places at a multiple of 4 KiB and of no piece, a MiB apart, in no order: what a read finds
    there begins and ends within pieces."""
    dice = random.Random(seed)
    slots = dice.sample(range(max(1, (size - length) // MIB)), min(n, (size - length) // MIB))
    return [slot * MIB + dice.randrange(PIECE // PAGE - 1) * PAGE + PAGE for slot in slots]


def read_cold(bench, name, **options):
    """One sequential read of a source through an empty cache: (MiB/s, CPU s/GiB at its end, CPU
    s/GiB when the daemon is idle again, samples)."""
    source = bench.sources(name)
    if name == "serve":
        bench.sources.big()
    mounted = bench.mount(source.listing, **options)
    path = file_of(bench, name, mounted)
    os.sync()
    provide_memory(bench.folder, 2 * bench.size)
    before = cpu_seconds(mounted.pid)
    found = read("sequential", paths=[path])
    cpu = cpu_seconds(mounted.pid) - before
    wait_idle(mounted.pid)
    settled = cpu_seconds(mounted.pid) - before
    mounted.end()
    assert found["bytes"] == bench.size
    gib = found["bytes"] / GIB
    return found["bytes"] / MIB / found["seconds"], cpu / gib, settled / gib, found["samples"]


def filling(bench, out):
    for name in SOURCES:
        source = bench.sources(name)
        if not source:
            continue
        if name == "serve":
            bench.sources.big()
        curl = bench.curl(name, to_file=True)
        speed, cpu, settled, samples = read_cold(bench, name)
        title = source.name
        out.add(title, speed, "MiB/s")
        out.ratio(f"{title}, beside curl to a new file", speed, curl, at_least(1.25))
        out.add(f"{title}, CPU at the end of the read", cpu, "s/GiB", at_most(0.85))
        out.add(f"{title}, CPU until all is written, too", settled, "s/GiB")
        if name == "serve":
            out.series("cold, modelfs serve", samples)
        if name == "nginx":
            rclone = bench.rival("rclone", "full")
            out.ratio(f"{title}, beside rclone full", speed, rclone, at_least(1.8))
        if name == "s3":
            mount_s3 = bench.rival("mount-s3", "full")
            out.ratio(f"{title}, beside mount-s3 with cache", speed, mount_s3, at_least(1.5))
            out.ratio(f"{title}, beside geesefs", speed, bench.rival("geesefs", "off"))


def no_cache(bench, out):
    for name in SOURCES:
        source = bench.sources(name)
        if not source:
            continue
        if name == "serve":
            bench.sources.big()
        curl = bench.curl(name, to_file=False)
        speed, cpu, _, _ = read_cold(bench, name, cache_size="0")
        out.add(source.name, speed, "MiB/s")
        out.ratio(f"{source.name}, beside curl to /dev/null", speed, curl, at_least(0.55))
        out.add(f"{source.name}, CPU", cpu, "s/GiB", at_most(0.5))
        if name == "nginx":
            out.ratio(f"{source.name}, beside rclone off", speed, bench.rival("rclone", "off"))
            out.ratio(f"{source.name}, beside gcsfuse", speed, bench.rival("gcsfuse", "off"))


def near_random(bench, out):
    for name in ("serve", "nginx"):
        source = bench.sources(name)
        if not source:
            continue
        if name == "serve":
            bench.sources.big()
        mounted = bench.mount(source.listing)
        path = file_of(bench, name, mounted)
        places = odd_places(bench.size, 400, 256 << 10, bench.number)
        seconds = bench.read("random", path=path, places=places, bytes=256 << 10)["seconds"]
        mounted.end()
        out.add(f"{source.name}, median", statistics.median(seconds) * 1e3, "ms", at_most(0.5))
        out.add(f"{source.name}, p98", percentile(seconds, 0.98) * 1e3, "ms", at_most(1))


N_CROWD, CROWD_S = 64, 10


def crowd(bench, out):
    """64 readers of 64 files, every second one in order, the others at random places."""
    source, registry = bench.sources("nginx"), bench.sources("registry")
    if not source:
        return out.note("skipped, no nginx")
    url = f"http://{source.address}/as/{{}}/big/data.bin"
    files = [(f"{n:02d}.bin", bench.size, url.format(n)) for n in range(N_CROWD)]
    registry.add("crowd", files)
    mounted = bench.mount(registry.listing)
    folder = f"{mounted}/bench/crowd/files"
    paths = [f"{folder}/{file}" for file, _, _ in files]
    for path in paths:
        os.stat(path)
    source.warm()
    reader = Reader(
        "crowd",
        paths=paths,
        bytes=256 << 10,
        seconds=CROWD_S,
        places=odd_places(bench.size, 512, 256 << 10, 5),
    )
    with Watch(lambda: {n: memory(mounted.pid, n) for n in ("RssAnon", "VmRSS")}) as watch:
        found = reader.go().result()
    out.add("read by all together", found["bytes"] / MIB / CROWD_S, "MiB/s")
    out.add("most RssAnon", watch.most["RssAnon"] / MIB, "MiB", at_most(320))
    out.add("most VmRSS, with the mapped cache", watch.most["VmRSS"] / MIB, "MiB")


def churn(bench, out):
    """8 times the cache's limit, read through it; the limit is half the big file."""
    limit = max(8 * MIB, bench.size // 2)
    models = [bench.sources.big(number) for number in range(4)]
    cache = bench.new_folder("cache")
    mounted = bench.mount(bench.sources("serve").listing, cache, cache_size=str(limit))
    paths = [f"{mounted}/bench/{model}/files/data.bin" for model in models]
    for path in paths:
        os.stat(path)
    bench.sources("serve").warm()
    os.sync()
    provide_memory(bench.folder, len(paths) * bench.size + limit)

    def sample():
        return {"size": folder_bytes(cache), "own": memory(mounted.pid)}

    with Watch(sample) as watch:
        found = read("sequential", paths=paths)
        wait_idle(mounted.pid)
    add_churn(out, found, watch, limit)


def add_churn(out, found, watch, limit):
    eighth = found["bytes"] / 8
    ends = [when_at(found["samples"], eighth * n) for n in range(9)]
    speeds = [eighth / MIB / (b - a) for a, b in zip(ends, ends[1:])]
    mean = statistics.mean(speeds)
    out.add("all of it", found["bytes"] / MIB / found["seconds"], "MiB/s")
    for n, speed in enumerate(speeds):
        out.add(f"eighth {n + 1} of 8", speed, "MiB/s")
    apart = max(abs(speed / mean - 1) for speed in speeds)
    out.add("farthest from the mean of the eighths", apart * 100, "%", at_most(20))
    out.ratio("most size of the cache's files, by limit", watch.most["size"], limit, at_most(1))
    out.add("limit", limit / MIB, "MiB")
    more = grown(watch, "own") / MIB
    out.add("most RssAnon, last quarter less second", more, "MiB", at_most(16))
    more = grown(watch, "size") / limit * 100
    out.add("most size, last quarter less second, by limit", more, "%", at_most(1))


def grown(watch, name):
    """How much more there is at most in the last quarter than in the second."""
    quarter = max(1, len(watch.samples) // 4)
    values = [found[name] for _, found in watch.samples]
    return max(values[-quarter:]) - max(values[quarter : 2 * quarter] or values)


def when_at(samples, n_bytes):
    """When so many bytes were there, between two samples."""
    for (t0, n0), (t1, n1) in zip(samples, samples[1:]):
        if n1 >= n_bytes and n1 > n0:
            return t0 + (t1 - t0) * max(0, n_bytes - n0) / (n1 - n0)
    return samples[-1][0]


ROWS = [
    RowOf("near, cold sequential, cache being filled", filling),
    RowOf("near, cold sequential, cache_size=0", no_cache),
    RowOf("near, random 256 KiB, cold", near_random),
    RowOf("near, 64 readers of 64 files: memory", crowd),
    RowOf("near, cache churn: 8 times the limit", churn),
]
