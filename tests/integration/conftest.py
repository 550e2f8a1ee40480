# SPDX-License-Identifier: Apache-2.0
"""Fixtures over a real mount. A test always ends unmounted; unexpected log lines fail it."""

import os
import pathlib
import shutil
import signal
import subprocess

import models
import pytest
import trees
from fake_registry import FakeRegistry
from processes import SLOWNESS, Mount, Server, Watchdog

ROOT = pathlib.Path(__file__).resolve().parents[2]
HANG_S = 150

# A shell's background job ignores SIGINT, and so would all that is started here.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def modelfs_bin():
    """The program under test: MODELFS_BIN, or what ./scripts/test built."""
    path = pathlib.Path(os.environ.get("MODELFS_BIN") or ROOT / "build" / "fs" / "modelfs")
    assert path.is_file(), "no modelfs: build it, or name it in MODELFS_BIN"
    return str(path)


@pytest.fixture
def expected_log():
    """expected_log(regex, ...): lines of a log that this test brings about on purpose."""
    patterns = []

    def expect(*more):
        patterns.extend(more)

    expect.patterns = patterns
    return expect


@pytest.fixture
def watchdog():
    dog = Watchdog(HANG_S * SLOWNESS)
    yield dog
    dog.stop()
    assert not dog.fired, "something hung and was ended"


class Mounts:
    """Makes mounts for a test, each with a folder, a log and (unless shared) a cache of its own."""

    def __init__(self, binary, folder, allowed, watchdog):
        self.binary, self.folder, self.allowed, self.watchdog = binary, folder, allowed, watchdog
        self.made = []

    def __call__(self, source, env=None, wait=True, at=None, **options):
        """Mounts a source and waits until it answers; options are mount's (True: no value)."""
        number = len(self.made)
        target = pathlib.Path(at or self.folder / f"mnt{number}")
        target.mkdir(exist_ok=True)
        options.setdefault("cache_dir", self.folder / f"cache{number}")
        log = self.folder / f"mount{number}.log"
        made = Mount(self.binary, str(source), target, options, log, env, self.allowed)
        self.made.append(made)
        self.watchdog.processes.append(made.process)
        return made.wait() if wait else made

    def end(self):
        failures = []
        for made in reversed(self.made):
            try:
                made.end()
            except AssertionError as failure:
                failures.append(str(failure))
        assert not failures, "\n".join(failures)


@pytest.fixture
def mount(modelfs_bin, tmp_path, expected_log, watchdog):
    """mount(source, **options) -> Mount, ended by the fixture."""
    made = Mounts(modelfs_bin, tmp_path, expected_log.patterns, watchdog)
    yield made
    made.end()


@pytest.fixture(scope="session")
def _session_mounts(modelfs_bin, tmp_path_factory):
    dog = Watchdog(3600)
    made = Mounts(modelfs_bin, tmp_path_factory.mktemp("shared"), [], dog)
    yield made
    dog.stop()
    made.end()


@pytest.fixture
def serve(modelfs_bin, tmp_path, expected_log):
    """A fresh registry: a running `modelfs serve` without anything in it."""
    server = Server(
        modelfs_bin, tmp_path / "registry", tmp_path / "serve.log", expected_log.patterns
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def push(serve):
    """push(path, project, name, kind, metrics=None) into the registry of this test."""
    return serve.push


def push_sample(server):
    for name, kind in trees.KINDS.items():
        metrics = trees.SAMPLE / "metrics" / f"{name}.json"
        server.push(trees.MODELS / trees.PROJECT / name, trees.PROJECT, name, kind, metrics)


@pytest.fixture(scope="session")
def sample_server(modelfs_bin, tmp_path_factory):
    """One `modelfs serve` with the sample pushed, for tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("served")
    server = Server(modelfs_bin, folder / "registry", folder / "serve.log").start()
    push_sample(server)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sample_source():
    return f"dir://{trees.MODELS}"


@pytest.fixture(scope="session")
def sample_mount(_session_mounts, sample_source):
    """The sample's directory, mounted."""
    return _session_mounts(sample_source)


@pytest.fixture(scope="session")
def served_mount(_session_mounts, sample_server):
    """The sample as a registry serves it, mounted."""
    return _session_mounts(sample_server.source)


@pytest.fixture(scope="session")
def models_server(modelfs_bin, tmp_path_factory):
    """One `modelfs serve` with all of tests/data/models, for tests that change nothing in it."""
    folder = tmp_path_factory.mktemp("models")
    server = Server(modelfs_bin, folder / "registry", folder / "serve.log").start()
    models.push_all(server)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def models_served(_session_mounts, models_server):
    return _session_mounts(models_server.source)


@pytest.fixture(scope="session")
def models_directory(_session_mounts):
    return _session_mounts(f"dir://{models.MODELS}")


@pytest.fixture(scope="session")
def plain_mount(tmp_path_factory):
    """The same tree as plain files, bound read-only: claims about a mount must hold for it too."""
    truth = trees.lay_out(trees.MODELS, tmp_path_factory.mktemp("truth"))
    bound = tmp_path_factory.mktemp("bound")
    subprocess.run(["mount", "--bind", truth, bound], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", bound], check=True)
    yield bound
    subprocess.run(["umount", bound], check=True)
    shutil.rmtree(truth)


@pytest.fixture(params=["served", "dir", "plain"])
def any_mount(request, watchdog):
    """One tree from a registry, from a directory, and as plain files."""
    name = {"served": "served_mount", "dir": "sample_mount", "plain": "plain_mount"}[request.param]
    found = request.getfixturevalue(name)
    if isinstance(found, Mount):
        watchdog.processes.append(found.process)
    return pathlib.Path(found)


@pytest.fixture(scope="session")
def truth(tmp_path_factory):
    """The sample laid out by hand, to compare with."""
    return trees.lay_out(trees.MODELS, tmp_path_factory.mktemp("by-hand"))


@pytest.fixture
def registry():
    """A fake registry in this process, with knobs for trouble."""
    fake = FakeRegistry().start()
    yield fake
    fake.stop()


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("root") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs to be root"))
