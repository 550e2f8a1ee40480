# SPDX-License-Identifier: Apache-2.0
"""Who goes through the files of a directory finds the next ones fetched already."""

import os
import subprocess

import fake_registry as fake
import pytest
import trees
from processes import LOG
from seeded import Seeded

KIB, MIB = 1 << 10, 1 << 20
N_SMALL = 200


def content(number):
    return Seeded(number, 3 * KIB + number)


@pytest.fixture
def small_files(registry, mount):
    """A mounted directory of small files, of which nothing has been fetched."""
    files = {f"f{i:03d}": content(i) for i in range(N_SMALL)}
    registry.add_model("p", "m", kind="Custom", files=files)
    folder = mount(registry.source) / "p/m/files"
    assert len(os.listdir(folder)) == N_SMALL
    return folder


def fetched(registry):
    """The names whose bytes were asked for, in the order of the requests."""
    return [r.path.rpartition("/")[2] for r in registry.requests if r.route == "content"]


def by_inode(folder):
    return sorted(os.listdir(folder), key=lambda name: os.stat(folder / name).st_ino)


def read(folder, name):
    assert (folder / name).read_bytes() == content(int(name[1:])).read(0, 10 * KIB)


@pytest.mark.parametrize("order", [os.listdir, by_inode])
def test_the_next_files_are_fetched_before_they_are_opened(order, small_files, registry):
    names = order(small_files)
    for name in names[:4]:
        read(small_files, name)
    assert registry.wait_for(lambda: set(names[4:8]) <= set(fetched(registry)))


@pytest.mark.parametrize("order", [os.listdir, by_inode])
def test_a_walk_waits_for_few_files_and_fetches_each_once(order, small_files, registry):
    for name in order(small_files):
        read(small_files, name)
    assert sorted(fetched(registry)) == sorted(os.listdir(small_files))


@pytest.mark.parametrize("command", [["cp", "-r"], ["rsync", "-r"]])
def test_programs_that_copy_have_several_files_under_way(
    command, small_files, registry, tmp_path
):
    """From some file on no answer comes, and still more are asked for."""
    registry.fail("content", fake.hold, where=lambda request: len(fetched(registry)) > 60)
    copy = subprocess.Popen([*command, f"{small_files}/", tmp_path / "copy"])
    assert registry.wait_for(lambda: len(fetched(registry)) >= 70)
    registry.heal()
    assert copy.wait(60) == 0
    assert trees.digests(tmp_path / "copy") == trees.digests(small_files)
    assert len(fetched(registry)) == N_SMALL


def test_looking_fetches_nothing(small_files, registry):
    subprocess.run(["ls", "-l", small_files], check=True, stdout=subprocess.DEVNULL)
    for name in os.listdir(small_files):
        os.close(os.open(small_files / name, os.O_RDONLY))
    assert fetched(registry) == []


def test_files_at_random_fetch_hardly_more_than_themselves(small_files, registry):
    """One that happens to follow another by inode number costs one file in vain."""
    names = os.listdir(small_files)
    wanted = [names[i * 37 % N_SMALL] for i in range(20)]
    for name in wanted:
        read(small_files, name)
    assert len(fetched(registry)) <= 1.5 * len(wanted)


def test_a_walk_goes_on_in_the_next_directory(registry, mount):
    files = {f"d{d}/f{d}{i}": content(10 * d + i) for d in range(5) for i in range(3)}
    registry.add_model("p", "m", kind="Custom", files=files)
    folder = mount(registry.source) / "p/m/files"
    for name in ("d0/f00", "d0/f01"):
        (folder / name).read_bytes()
    assert registry.wait_for(lambda: {"f02", "f10", "f11"} <= set(fetched(registry)))


def test_the_head_of_the_next_shard_is_fetched_before_it_is_opened(registry, mount):
    shards = {f"model-{i:05d}-of-00004": Seeded(i, 12 * MIB) for i in range(1, 5)}
    registry.add_model("p", "m", kind="Custom", files=shards)
    folder = mount(registry.source) / "p/m/files"
    names = sorted(shards)
    for name in names[:2]:
        (folder / name).read_bytes()
    assert registry.wait_for(lambda: names[2] in fetched(registry))
    asked = [r.range for r in registry.requests if r.path.endswith(names[2])]
    assert min(first for first, last in asked) == 0
    assert max(last for first, last in asked) < 12 * MIB - 1


def test_a_file_of_a_walk_that_is_gone_hurts_nobody(small_files, registry, expected_log):
    expected_log(LOG)
    lost = next(iter(registry.models.values())).files
    for name in ("f004", "f005", "f006"):
        del lost[name]
    for name in ("f000", "f001", "f002", "f003", "f007", "f008"):
        read(small_files, name)


def test_a_small_file_that_is_not_what_the_registry_says_gives_no_byte(
    registry, mount, expected_log, tmp_path
):
    expected_log(LOG)
    good, bad = fake.File(Seeded(1, 100 * KIB)), fake.File(Seeded(2, 100 * KIB))
    good.digest = "sha256:" + good.content.sha256()
    bad.digest = "sha256:" + Seeded(3, 5).sha256()
    registry.add_model("p", "m", kind="Custom", files={"bad": bad, "good": good})
    mounted = mount(registry.source, cache_dir=tmp_path / "cache")
    folder = mounted / "p/m/files"
    with open(folder / "bad", "rb", buffering=0) as f:
        for off in (0, 50 * KIB):
            with pytest.raises(OSError):
                os.pread(f.fileno(), KIB, off)
    assert (folder / "good").read_bytes() == good.content.read(0, good.content.size)
    assert "has SHA-256" in mounted.log_text()
    mounted.end()
    registry.stop()
    folder = mount(registry.source, cache_dir=tmp_path / "cache", deadline=1) / "p/m/files"
    assert (folder / "good").read_bytes() == good.content.read(0, good.content.size)
    with pytest.raises(OSError):
        (folder / "bad").read_bytes()


def test_a_small_file_that_is_cut_on_the_way_is_whole_in_the_end(registry, mount):
    data = fake.File(Seeded(4, 200 * KIB))
    data.digest = "sha256:" + data.content.sha256()
    registry.add_model("p", "m", kind="Custom", files={"f": data})
    registry.fail("content", fake.cut(130 * KIB), times=1)
    path = mount(registry.source) / "p/m/files/f"
    assert path.read_bytes() == data.content.read(0, data.content.size)
