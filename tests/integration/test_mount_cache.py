# SPDX-License-Identifier: Apache-2.0
"""The block cache as a user meets it: shared, kept, limited, never believed when damaged."""

import contextlib
import os
import pathlib
import random
import subprocess

import pytest
from processes import LOG
from seeded import Seeded
from trees import run

MIB = 1 << 20


@pytest.fixture
def stock(registry):
    """A registry with three files of some MiB; name -> content."""
    contents = {f"f{i}": Seeded(200 + i, 5 * MIB + i * 777) for i in range(3)}
    registry.add_model("p", "m", kind="Custom", files=contents)
    return contents


def check_all(mounted, contents):
    """Every byte of every file is right."""
    for name, content in contents.items():
        data = (mounted / "p/m/files" / name).read_bytes()
        assert data == content.read(0, content.size), name


def filled(mount, registry, contents, cache):
    """Reads all once into a cache directory and unmounts."""
    first = mount(registry.source, cache_dir=cache)
    check_all(first, contents)
    first.end()
    registry.reset_counts()


def data_files(cache):
    return sorted(pathlib.Path(cache).rglob("data.mdb"))


def disk_bytes(folder):
    return sum(
        os.stat(os.path.join(d, n)).st_blocks * 512
        for d, _, names in os.walk(folder)
        for n in names
    )


# Kept and shared.


def test_the_next_mount_finds_what_the_last_one_read(mount, registry, stock, tmp_path):
    filled(mount, registry, stock, tmp_path / "c")
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)
    assert registry.content_bytes == 0


def test_a_second_mount_shares_the_cache_of_the_first_while_both_are_there(
    mount, registry, stock, tmp_path
):
    first, second = (mount(registry.source, cache_dir=tmp_path / "c") for _ in range(2))
    check_all(first, stock)
    fetched = registry.content_bytes
    run("sync", "-f", first.path)
    check_all(second, stock)
    check_all(first, stock)
    assert registry.content_bytes - fetched <= sum(c.size for c in stock.values()) // 2


def test_the_listing_is_kept_for_the_next_mount(mount, registry, stock, tmp_path):
    filled(mount, registry, stock, tmp_path / "c")
    run("ls", "-lR", mount(registry.source, cache_dir=tmp_path / "c", list_timeout=3600))
    assert registry.count["files"] == 0


def test_blocks_tell_the_size_before_and_after_so_that_no_archiver_sees_holes(
    mount, registry, stock
):
    mounted = mount(registry.source, attr_timeout=0)
    path = mounted / "p/m/files/f0"
    for _ in range(2):
        assert os.stat(path).st_blocks * 512 >= stock["f0"].size
        path.read_bytes()


def test_the_directory_is_private(mount, registry, stock, tmp_path):
    filled(mount, registry, stock, tmp_path / "c")
    for folder, folders, files in os.walk(tmp_path / "c"):
        assert os.stat(folder).st_mode & 0o077 == 0
        assert not [n for n in files if os.stat(os.path.join(folder, n)).st_mode & 0o077]


def test_a_cache_that_is_used_again_and_again_stays_whole(mount, registry, stock, tmp_path):
    for _ in range(3):
        filled(mount, registry, stock, tmp_path / "c")
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)
    assert registry.content_bytes == 0


# Limits.


def test_the_limit_is_hard_and_every_byte_right(mount, registry, tmp_path):
    contents = {f"f{i}": Seeded(300 + i, 16 * MIB) for i in range(8)}
    registry.add_model("p", "m", kind="Custom", files=contents)
    mounted = mount(registry.source, cache_dir=tmp_path / "c", cache_size="32M")
    for _ in range(2):
        check_all(mounted, contents)
        assert disk_bytes(tmp_path / "c") <= 33 * MIB


def test_a_file_larger_than_the_cache_is_read(mount, registry, tmp_path):
    content = {"big": Seeded(310, 64 * MIB)}
    registry.add_model("p", "m", kind="Custom", files=content)
    check_all(mount(registry.source, cache_dir=tmp_path / "c", cache_size="16M"), content)


def test_a_smaller_limit_at_the_next_mount_holds(mount, registry, stock, tmp_path, expected_log):
    expected_log("larger than the limit")
    filled(mount, registry, stock, tmp_path / "c")
    assert disk_bytes(tmp_path / "c") > 9 * MIB
    mounted = mount(registry.source, cache_dir=tmp_path / "c", cache_size="8M")
    check_all(mounted, stock)
    assert disk_bytes(tmp_path / "c") <= 9 * MIB


# Places where nothing can be written.


@contextlib.contextmanager
def tmpfs(folder, size, options=""):
    folder.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size}{options}", "tmpfs", folder)
    try:
        yield folder
    finally:
        run("umount", "-l", folder)


@pytest.mark.root
@pytest.mark.parametrize("size", ["64k", "1m", "6m"])
def test_a_full_disk_is_a_cache_that_misses(size, mount, registry, stock, tmp_path, expected_log):
    expected_log(LOG)
    with tmpfs(tmp_path / "small", size):
        mounted = mount(registry.source, cache_dir=tmp_path / "small" / "c")
        check_all(mounted, stock)
        check_all(mounted, stock)
        mounted.end()


@pytest.mark.root
def test_a_disk_that_becomes_full_is_a_cache_that_misses(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    with tmpfs(tmp_path / "small", "24m") as folder:
        mounted = mount(registry.source, cache_dir=folder / "c")
        (mounted / "p/m/files/f0").read_bytes()
        with contextlib.suppress(OSError), open(folder / "filler", "wb") as filler:
            while True:
                filler.write(bytes(MIB))
        check_all(mounted, stock)
        mounted.end()


@pytest.mark.root
@pytest.mark.parametrize("is_filled", [False, True])
def test_a_read_only_cache_directory_is_said_and_lived_without(
    is_filled, mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    with tmpfs(tmp_path / "ro", "64m") as folder:
        if is_filled:
            filled(mount, registry, stock, folder / "c")
        else:
            (folder / "c").mkdir(mode=0o700)
        run("mount", "-o", "remount,ro", folder)
        mounted = mount(registry.source, cache_dir=folder / "c")
        check_all(mounted, stock)
        mounted.end()
        assert str(folder / "c") in mounted.log_text()


@pytest.mark.root
def test_a_directory_of_somebody_else_is_refused_and_left_alone(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG, str(tmp_path))
    cache = tmp_path / "c"
    cache.mkdir(mode=0o700)
    os.chown(cache, 12345, 12345)
    mounted = mount(registry.source, cache_dir=cache, wait=False)
    try:
        check_all(mounted.wait(), stock)
    except AssertionError:
        assert mounted.process.wait(20) != 0
    mounted.end(expect_failure=True)
    assert str(cache) in mounted.log_text()
    assert os.listdir(cache) == []


def test_a_file_where_the_directory_should_be_is_said(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG, str(tmp_path))
    (tmp_path / "c").write_text("mine")
    mounted = mount(registry.source, cache_dir=tmp_path / "c", wait=False)
    try:
        check_all(mounted.wait(), stock)
    except AssertionError:
        assert mounted.process.wait(20) != 0
    mounted.end(expect_failure=True)
    assert (tmp_path / "c").read_text() == "mine"
    assert str(tmp_path / "c") in mounted.log_text()


# Another version.


def test_what_another_version_keeps_beside_ours_is_left_alone(mount, registry, stock, tmp_path):
    other = tmp_path / "c" / "v99"
    other.mkdir(parents=True, mode=0o700)
    (tmp_path / "c").chmod(0o700)
    (other / "data.mdb").write_bytes(b"theirs" * 1000)
    filled(mount, registry, stock, tmp_path / "c")
    assert (other / "data.mdb").read_bytes() == b"theirs" * 1000


def test_an_environment_of_another_layout_is_a_cache_that_misses(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    for path in data_files(tmp_path / "c"):
        path.write_bytes(b"another version wrote this" * 5000)
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)


# Damage.


def flip_bits(path, seed, n, first=0, end=None):
    """Flips n bits at random places of a file, between two offsets."""
    chance = random.Random(seed)
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        for _ in range(n):
            off = chance.randrange(min(first, size - 1), min(end or size, size))
            f.seek(off)
            byte = f.read(1)[0] ^ (1 << chance.randrange(8))
            f.seek(off)
            f.write(bytes([byte]))


@pytest.mark.parametrize("n_bits", [1, 30, 3000])
@pytest.mark.parametrize("seed", range(4))
def test_bit_flips_between_mounts_never_give_a_wrong_byte(
    seed, n_bits, mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    for path in data_files(tmp_path / "c"):
        flip_bits(path, seed, n_bits)
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)


@pytest.mark.parametrize("seed", range(6))
def test_bit_flips_in_the_first_pages_never_give_a_wrong_byte(
    seed, mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    [path] = data_files(tmp_path / "c")
    flip_bits(path, seed, 200, end=40 * 4096)
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)


@pytest.mark.parametrize("seed", range(4))
def test_bit_flips_while_mounted_never_give_a_wrong_byte(
    seed, mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    mounted = mount(registry.source, cache_dir=tmp_path / "c")
    os.listdir(mounted / "p/m/files")
    for path in data_files(tmp_path / "c"):
        flip_bits(path, seed, 500, first=2 * 4096)
    check_all(mounted, stock)


@pytest.mark.parametrize("keep", [0, 1, 4096, 8192, 100000, 3 * MIB])
def test_a_cut_file_between_mounts_never_gives_a_wrong_byte(
    keep, mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    for path in data_files(tmp_path / "c"):
        os.truncate(path, keep)
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)


def test_a_file_that_is_cut_while_mounted_does_not_end_the_mount(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    mounted = mount(registry.source, cache_dir=tmp_path / "c")
    os.listdir(mounted / "p/m/files")
    for path in data_files(tmp_path / "c"):
        os.truncate(path, 8192)
    check_all(mounted, stock)


def test_a_cache_that_is_removed_while_mounted_does_not_end_the_mount(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    mounted = mount(registry.source, cache_dir=tmp_path / "c")
    (mounted / "p/m/files/f0").read_bytes()
    run("rm", "-rf", tmp_path / "c")
    check_all(mounted, stock)


def test_after_damage_the_cache_works_again(mount, registry, stock, tmp_path, expected_log):
    expected_log(LOG)
    filled(mount, registry, stock, tmp_path / "c")
    for path in data_files(tmp_path / "c"):
        path.write_bytes(bytes(1000))
    filled(mount, registry, stock, tmp_path / "c")
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)
    assert registry.content_bytes == 0


# kill -9.


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_kill_9_during_writes_loses_nothing_that_matters(
    seed, mount, registry, tmp_path, expected_log
):
    expected_log(LOG)
    contents = {f"f{i}": Seeded(400 + i, 24 * MIB + i) for i in range(4)}
    registry.add_model("p", "m", kind="Custom", files=contents)
    chance = random.Random(seed)
    for _ in range(4):
        mounted = mount(registry.source, cache_dir=tmp_path / "c", cache_size="64M")
        registry.reset_counts()
        kill_in_the_middle(mounted, registry, sorted(contents), chance)
    check_all(mount(registry.source, cache_dir=tmp_path / "c", cache_size="64M"), contents)


def kill_in_the_middle(mounted, registry, names, chance):
    """Reads several files at once and kills the mount when some bytes have come."""
    readers = [
        subprocess.Popen(
            ["cat", mounted / "p/m/files" / name],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in names
    ]
    seen, more = registry.count["content"], chance.randrange(1, 25)
    registry.wait_for(lambda: registry.count["content"] >= seen + more, seconds=2)
    mounted.kill()
    for reader in readers:
        reader.wait(20)


def test_what_was_committed_before_kill_9_is_there_after_it(
    mount, registry, stock, tmp_path, expected_log
):
    expected_log(LOG)
    mounted = mount(registry.source, cache_dir=tmp_path / "c")
    check_all(mounted, stock)
    mounted.kill()
    registry.reset_counts()
    check_all(mount(registry.source, cache_dir=tmp_path / "c"), stock)
    assert registry.content_bytes < sum(c.size for c in stock.values())


def test_a_dead_process_leaves_no_readers_slot_that_stops_eviction(
    mount, registry, tmp_path, expected_log
):
    expected_log(LOG)
    contents = {f"f{i}": Seeded(500 + i, 16 * MIB) for i in range(4)}
    registry.add_model("p", "m", kind="Custom", files=contents)
    for _ in range(3):
        mounted = mount(registry.source, cache_dir=tmp_path / "c", cache_size="24M")
        kill_in_the_middle(mounted, registry, sorted(contents), random.Random(1))
    mounted = mount(registry.source, cache_dir=tmp_path / "c", cache_size="24M")
    check_all(mounted, contents)
    assert disk_bytes(tmp_path / "c") <= 25 * MIB
