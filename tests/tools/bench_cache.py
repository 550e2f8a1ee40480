# SPDX-License-Identifier: Apache-2.0
"""Rows of what was read before: from the cache's file, from the page cache, from a large cache."""

import os
import shutil
import statistics
import subprocess
import time

from bench_figures import at_least, at_most
from bench_machine import drop_page_cache, provide_memory, read_ahead_path
from bench_near import RowOf, fetched_by, file_of, odd_places
from bench_readers import read
from bench_rivals import KNOWN
from bench_sources import MIB

ASKED = 128 << 10
# How often each cache is opened in its one round.
N_OPENED = 3


def speed_of(found):
    return found["bytes"] / MIB / found["seconds"]


def filled(bench):
    """A cache that holds the big file, kept for the rows of a round."""
    return bench.once("filled cache", lambda: fill(bench))


def fill(bench):
    cache = bench.folder / "filled"
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir()
    bench.sources.big()
    mounted = bench.mount(bench.sources("serve").listing, cache)
    read("sequential", paths=[file_of(bench, "serve", mounted)])
    mounted.end()
    return cache


def remount(bench):
    """The filled cache in a new mount, nothing of it in memory: (mount, the big file)."""
    cache = filled(bench)
    mounted = bench.mount(bench.sources("serve").listing, cache)
    path = f"{mounted}/bench/big0/files/data.bin"
    os.stat(path)
    drop_page_cache(1)
    return mounted, path


def measure_dd(bench):
    """MiB/s of dd from the local file, which is not in memory."""
    plain = bench.sources.plain()
    drop_page_cache(1)
    provide_memory(bench.folder, bench.size)
    began = time.monotonic()
    subprocess.run(["dd", f"if={plain}", "of=/dev/null", "bs=1M", "status=none"], check=True)
    return bench.size / MIB / (time.monotonic() - began)


def measure_ceiling(bench):
    """MiB/s through the ceiling program, of memory and again of the page cache."""
    path, end = bench.mount_ceiling()
    first = bench.read("sequential", paths=[str(path)])
    again = read("sequential", paths=[str(path)])
    end()
    return speed_of(first), speed_of(again)


def warm(bench, out):
    ceiling, _ = bench.once("ceiling", lambda: measure_ceiling(bench))
    dd = bench.once("dd", lambda: measure_dd(bench))
    mounted, path = remount(bench)
    before = fetched_by(mounted)
    found = bench.read("sequential", paths=[path])
    fetched = fetched_by(mounted) - before
    mounted.end()
    out.add("modelfs", speed_of(found), "MiB/s")
    out.add("ceiling", ceiling, "MiB/s")
    out.add("dd of a local file that is not in memory", dd, "MiB/s")
    out.ratio("beside the lesser of these two", speed_of(found), min(ceiling, dd), at_least(0.9))
    out.add("bytes fetched", fetched, "bytes", at_most(0))
    out.series("warm, page cache dropped", found["samples"])
    names = [name for name in bench.rivals.names() if KNOWN[name].has_cache]
    rivals = [warm_rival(bench, out, name) for name in names]
    best = max(filter(None, rivals), default=None)
    out.ratio("beside the best rival with a cache", speed_of(found), best, at_least(2))


def warm_rival(bench, out, name):
    """A rival whose cache was filled, in the same mount: most of them lose it with their mount, or
    write down what they have only some time later."""
    try:
        mounted = bench.rivals.mount(name, "full")
        bench.sources(KNOWN[name].source).warm()
        read("sequential", paths=[str(mounted.path / "big/data.bin")])
        drop_page_cache(1)
        bench.sources(KNOWN[name].source).warm()
        speed = speed_of(bench.read("sequential", paths=[str(mounted.path / "big/data.bin")]))
        mounted.end()
    except (RuntimeError, OSError, AssertionError) as failure:
        out.note(f"{name}: failed: {failure}")
        return None
    out.add(f"{name}, same mount", speed, "MiB/s")
    return speed


def warm_random(bench, out):
    places = odd_places(bench.size, 400, ASKED, bench.number)
    mounted, path = remount(bench)
    read_ahead_kb = int(read_ahead_path(mounted.path).read_text())
    ours = bench.read("random", path=path, places=places, bytes=ASKED)["seconds"]
    fetched = fetched_by(mounted)
    mounted.end()
    bench.sources.plain()
    drop_page_cache(1)
    path, end = bench.mount_ceiling(cold=True, read_ahead_kb=read_ahead_kb)
    ceiling = bench.read("random", path=str(path), places=places, bytes=ASKED)["seconds"]
    end()
    ours, ceiling = (statistics.median(s) * 1e6 for s in (ours, ceiling))
    out.add("modelfs, median", ours, "us")
    out.add("ceiling over a file not in memory, median", ceiling, "us")
    out.add("modelfs less ceiling", ours - ceiling, "us", at_most(150))
    out.add("bytes fetched", fetched, "bytes", at_most(0))


def again(bench, out):
    _, ceiling = bench.once("ceiling", lambda: measure_ceiling(bench))
    mounted, path = remount(bench)
    read("sequential", paths=[path])
    found = read("sequential", paths=[path])
    mounted.end()
    out.add("modelfs", speed_of(found), "MiB/s")
    out.add("ceiling", ceiling, "MiB/s")
    out.ratio("beside the ceiling", speed_of(found), ceiling, at_least(0.95))


def timed_mount(bench, cache, limit):
    """Milliseconds from the start of `modelfs mount` to an answered stat."""
    began = time.monotonic()
    mounted = bench.mount(bench.sources("serve").listing, cache, cache_size=limit)
    return (time.monotonic() - began) * 1e3, mounted


def killed_mount(bench, cache, limit):
    """The same after a mount that wrote into this cache was killed."""
    _, mounted = timed_mount(bench, cache, limit)
    read("sequential", paths=[file_of(bench, "serve", mounted)], limit=64 * MIB)
    mounted.kill()
    milliseconds, mounted = timed_mount(bench, cache, limit)
    mounted.end()
    return milliseconds


def large_cache(bench, out):
    """tests/tools/bigcache.c makes a cache directory in little room, and says its limit."""
    program, gib = bench.tests / "bigcache", int(os.environ.get("BENCH_CACHE_GIB") or 100)
    if not program.exists():
        return out.note(f"skipped, there is no program {program.name}")
    bench.sources.big()
    large = bench.new_folder("large") / "cache"
    run = subprocess.run([program, large, str(gib)], check=True, capture_output=True, text=True)
    limit = run.stdout.strip()
    caches = {"an empty cache": bench.new_folder("cache"), f"{gib} GiB of entries": large}
    for _ in range(N_OPENED):
        for name, cache in caches.items():
            drop_page_cache()
            milliseconds, mounted = timed_mount(bench, cache, limit)
            mounted.end()
            out.add(f"{name}, start to an answered stat", milliseconds, "ms")
    for _ in range(N_OPENED):
        for name, cache in caches.items():
            out.add(f"{name}, after kill -9", killed_mount(bench, cache, limit), "ms")
    out.note(f"median of {N_OPENED}, the page cache dropped before the former")


ROWS = [
    RowOf("warm sequential from the cache, page cache dropped", warm),
    RowOf("warm random 128 KiB, page cache dropped", warm_random),
    RowOf("page cache, read again", again),
    RowOf("opening a large cache", large_cache, once=True),
]
