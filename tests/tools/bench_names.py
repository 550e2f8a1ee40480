# SPDX-License-Identifier: Apache-2.0
"""Rows of many names: listings, and what a known file costs. The listings come from prepared texts,
and what curl needs for one is taken off and shown."""

import json
import os
import random
import statistics
import subprocess
import time

from bench_figures import at_least, at_most
from bench_machine import drop_page_cache, memory
from bench_near import RowOf
from bench_readers import read

N_LISTED, N_FEW, N_LOOKED_UP = 20000, 10000, 1000


def add_model(bench, n_files):
    """A model of so many files, all in one directory; nobody reads them."""
    registry, name = bench.sources("registry"), f"many{n_files}"
    if name not in registry.models:
        url = registry.url + "/none/"
        files = ((file_name(n), 4096, f"{url}{n}") for n in range(n_files))
        registry.add(name, files)
    return name


def file_name(number):
    return f"shard-{number:07d}.bin"


def curl_listing(bench, name):
    """Seconds of the listing itself."""
    registry = bench.sources("registry")
    body = json.dumps({"id": registry.models[name]["id"], "links": True, "size": True})
    words = ["curl", "-sSf", "-X", "GET", "-d", body, "-o", "/dev/null"]
    words += ["-w", "%{time_total}", f"{registry.url}/mlModels/listFiles/"]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def ls(folder):
    began = time.monotonic()
    subprocess.run(["ls", "-l", folder], check=True, stdout=subprocess.DEVNULL, timeout=600)
    return time.monotonic() - began


def scan(folder):
    return read("scan", path=folder)["seconds"]


def listing(bench, out):
    """Each way cold with a cache of its own, again in the same mount, and in the next mount."""
    name = add_model(bench, N_LISTED)
    server = curl_listing(bench, name)
    out.add("the server's own time, by curl", server * 1e3, "ms")
    for way, how in ((scan, "scandir and stat"), (ls, "ls -l")):
        cache = bench.new_folder("cache")
        mounted = bench.mount(bench.sources("registry").listing, cache)
        os.listdir(mounted / "bench")
        folder = f"{mounted}/bench/{name}/files"
        cold = way(folder) - server
        again = way(folder)
        mounted.end()
        mounted = bench.mount(bench.sources("registry").listing, cache)
        later = way(folder)
        mounted.end()
        out.add(f"{how}, cold", N_LISTED / max(cold, 1e-6), "entries/s", at_least(20000))
        out.add(f"{how}, again", N_LISTED / again, "entries/s", at_least(100000))
        out.add(f"{how}, in the next mount", N_LISTED / later, "entries/s")


def walk(bench, n_files):
    """A mount that walked a model, and still is: (mount, bytes of its own a file, seconds, median
    of lookups in microseconds)."""
    name = add_model(bench, n_files)
    mounted = bench.mount(bench.sources("registry").listing)
    os.listdir(mounted / "bench")
    before = memory(mounted.pid)
    folder = f"{mounted}/bench/{name}/files"
    found = read("scan", path=folder)
    assert found["entries"] == n_files
    each = (memory(mounted.pid) - before) / n_files
    names = [file_name(n) for n in random.Random(bench.number).sample(range(n_files), N_LOOKED_UP)]
    drop_page_cache(2)
    os.stat(folder)
    lookups = read("look_up", path=folder, names=names)["seconds"]
    return mounted, each, found["seconds"], statistics.median(lookups) * 1e6


def known(bench, out):
    few, n = min(N_FEW, bench.n_files), bench.n_files
    mounted, _, _, few_us = walk(bench, few)
    mounted.end()
    mounted, each, seconds, many_us = walk(bench, n)
    out.add(f"{n} files, walked", seconds, "s")
    out.add("RssAnon, after less before, a file", each, "bytes", at_most(200))
    out.add(f"stat of one of {few}, median", few_us, "us")
    out.add(f"stat of one of {n}, median", many_us, "us")
    out.ratio("it, beside that of the few", many_us, few_us, at_most(1.5))
    began = time.monotonic()
    mounted.end()
    out.add("unmounted in", time.monotonic() - began, "s")


ROWS = [
    RowOf("listing 20,000 files", listing),
    RowOf("1,000,000 files known", known, once=True),
]
