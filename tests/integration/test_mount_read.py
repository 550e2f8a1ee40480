# SPDX-License-Identifier: Apache-2.0
"""Reading from a mount behaves as reading from a disk, by every road that programs take."""

import concurrent.futures
import hashlib
import mmap
import os
import random
import subprocess
import sys
import threading

import fake_registry as fake
import pytest
import trees
from processes import LOG
from seeded import Seeded
from trees import run

CNN = "mnist/cnn"
MIB = 1 << 20
BIG = Seeded(11, 48 * MIB + 12345)


@pytest.fixture(params=["fake registry", "dir", "plain"])
def big_file(request, tmp_path, watchdog):
    """One file of 48 MiB and a bit: from a registry, from a directory, and as a plain file."""
    source = tmp_path / "source" / "p" / "m"
    if request.param == "fake registry":
        registry = request.getfixturevalue("registry")
        registry.add_model("p", "m", kind="Custom", files={"data.bin": BIG})
        return request.getfixturevalue("mount")(registry.source) / "p/m/files/data.bin"
    source.mkdir(parents=True)
    BIG.write_to(source / "data.bin")
    if request.param == "plain":
        return source / "data.bin"
    return request.getfixturevalue("mount")(f"dir://{tmp_path}/source") / "p/m/files/data.bin"


def the_file(mount, registry, content, **options):
    """Mounts a registry that holds one file, and returns the file's path."""
    registry.add_model("p", "m", kind="Custom", files={"data.bin": content})
    return mount(registry.source, **options) / "p/m/files/data.bin"


def read_at(path, off, length):
    with open(path, "rb", buffering=0) as f:
        return os.pread(f.fileno(), length, off)


# Tools.


def test_cp_copies_all(any_mount, tmp_path, truth):
    run("cp", "-a", any_mount / "mnist", tmp_path / "copy")
    assert trees.digests(tmp_path / "copy") == trees.digests(truth / "mnist")
    assert (
        trees.links_below(tmp_path / "copy").items() >= trees.links_below(truth / "mnist").items()
    )


def test_rsync_copies_nothing_the_second_time(any_mount, tmp_path, truth):
    command = ["rsync", "-a", "--itemize-changes", f"{any_mount}/", tmp_path / "copy"]
    assert run(*command).strip()
    assert run(*command) == ""
    assert trees.digests(tmp_path / "copy") == trees.digests(truth)


def test_rsync_copies_nothing_from_a_fresh_mount(mount, sample_server, tmp_path):
    def copy(mounted):
        return run("rsync", "-a", "--itemize-changes", f"{mounted}/", tmp_path / "copy")

    assert copy(mount(sample_server.source)).strip()
    assert copy(mount(sample_server.source)) == ""


def test_tar_packs_and_unpacks_to_the_same(any_mount, tmp_path, truth):
    run("tar", "-C", any_mount, "-cf", tmp_path / "all.tar", "mnist")
    run("tar", "-C", tmp_path, "-xf", tmp_path / "all.tar")
    assert trees.digests(tmp_path / "mnist") == trees.digests(truth / "mnist")


def test_sha256sum_checks_all(any_mount, tmp_path, truth):
    lines = [f"{digest}  {path}\n" for path, (_, digest) in trees.digests(truth).items()]
    (tmp_path / "sums").write_text("".join(lines))
    run("sha256sum", "--quiet", "-c", tmp_path / "sums", cwd=any_mount)


def test_cat_and_cmp_and_dd_read_the_big_file(big_file, tmp_path):
    want = BIG.write_to(tmp_path / "want")
    run("cmp", big_file, want)
    run("dd", f"if={big_file}", f"of={tmp_path}/copy", "bs=37k", "status=none")
    assert trees.sha256(tmp_path / "copy") == BIG.sha256()


# System calls.


def test_random_reads_of_random_lengths_give_the_right_bytes(big_file):
    chance = random.Random(5)
    with open(big_file, "rb", buffering=0) as f:
        for _ in range(400):
            off = chance.randrange(BIG.size)
            length = min(int(2 ** chance.uniform(0, 21.5)), BIG.size - off)
            got = os.pread(f.fileno(), length, off)
            assert got == BIG.read(off, length), (off, length)


def test_a_read_backwards_gives_the_right_bytes(big_file):
    with open(big_file, "rb", buffering=0) as f:
        for off in range(BIG.size // 65536 * 65536, -1, -65536 * 7):
            assert os.pread(f.fileno(), 65536, off) == BIG.read(off, 65536)


def test_a_read_at_and_behind_the_end_is_short(big_file):
    assert read_at(big_file, BIG.size - 5, 100) == BIG.read(BIG.size - 5, 5)
    assert read_at(big_file, BIG.size, 100) == b""
    assert read_at(big_file, BIG.size + 10 * MIB, 100) == b""


# A fault in a map holds python's lock until the page is there, and the registry that should bring
# it runs in the tests' own process; so maps are read in another one. Digests of ranges come back.
READ_MAP = """
import hashlib, mmap, sys
with open(sys.argv[1], "rb") as f, mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as mapped:
    for word in sys.argv[2:]:
        off, _, end = word.partition(":")
        print(hashlib.sha256(mapped[int(off) : int(end)]).hexdigest())
"""


def start_map_reader(path, ranges):
    words = [f"{off}:{end}" for off, end in ranges]
    command = [sys.executable, "-c", READ_MAP, path, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def range_digests(content, ranges):
    return [hashlib.sha256(content.read(off, end - off)).hexdigest() for off, end in ranges]


def test_mmap_shows_the_right_bytes(big_file):
    chance = random.Random(6)
    starts = [chance.randrange(BIG.size - 5000) for _ in range(200)] + [BIG.size - 5000]
    ranges = [(off, off + 5000) for off in starts]
    found = start_map_reader(big_file, ranges).communicate(timeout=100)[0].split()
    assert found == range_digests(BIG, ranges)


def test_sendfile_sends_the_right_bytes(big_file, tmp_path):
    with open(big_file, "rb") as source, open(tmp_path / "copy", "wb") as target:
        off = 0
        while sent := os.sendfile(target.fileno(), source.fileno(), off, 3 * MIB + 1):
            off += sent
    assert trees.sha256(tmp_path / "copy") == BIG.sha256()


def test_copy_file_range_or_its_refusal_leaves_the_right_bytes(big_file, tmp_path):
    run("cp", "--reflink=auto", big_file, tmp_path / "copy")
    assert trees.sha256(tmp_path / "copy") == BIG.sha256()


def test_o_direct_reads_the_right_bytes(big_file):
    fd = os.open(big_file, os.O_RDONLY | os.O_DIRECT)
    try:
        page = mmap.mmap(-1, MIB)
        for off in (0, 4096 * 3, 17 * MIB, BIG.size // 4096 * 4096):
            n = os.preadv(fd, [page], off)
            assert page[:n] == BIG.read(off, MIB)
    finally:
        os.close(fd)


def test_lseek_finds_the_end_the_data_and_the_hole(big_file):
    with open(big_file, "rb", buffering=0) as f:
        assert os.lseek(f.fileno(), 0, os.SEEK_END) == BIG.size
        assert os.lseek(f.fileno(), -7, os.SEEK_END) == BIG.size - 7
        assert f.read() == BIG.read(BIG.size - 7, 7)
        assert os.lseek(f.fileno(), 1000, os.SEEK_DATA) == 1000
        assert os.lseek(f.fileno(), 1000, os.SEEK_HOLE) == BIG.size
        with pytest.raises(OSError):
            os.lseek(f.fileno(), BIG.size, os.SEEK_DATA)


def test_advice_and_readahead_do_no_harm(big_file):
    with open(big_file, "rb", buffering=0) as f:
        for advice in (
            os.POSIX_FADV_WILLNEED,
            os.POSIX_FADV_SEQUENTIAL,
            os.POSIX_FADV_RANDOM,
            os.POSIX_FADV_DONTNEED,
        ):
            os.posix_fadvise(f.fileno(), 0, 0, advice)
            assert os.pread(f.fileno(), 4096, 5 * MIB) == BIG.read(5 * MIB, 4096)


def test_a_file_that_is_open_is_read_through_a_second_name_too(mount, registry):
    registry.add_model(
        "p",
        "m",
        files={"model.ckpt-5.index": b"i" * 100, "model.ckpt-5.data-00000-of-00001": b"d" * 100},
    )
    model = mount(registry.source) / "p/m"
    path, other = (model / folder / "model.ckpt-5.index" for folder in ("ckpt-5", ".modelfs/files"))
    with open(path, "rb") as a, open(other, "rb") as b:
        assert os.fstat(a.fileno()).st_ino == os.fstat(b.fileno()).st_ino
        assert a.read() == b.read() == b"i" * 100


# Sizes.


def test_an_empty_file_is_empty_and_asks_for_nothing(mount, registry):
    path = the_file(mount, registry, b"")
    assert path.read_bytes() == b""
    assert os.stat(path).st_size == 0
    assert registry.count["content"] == 0


@pytest.mark.parametrize(
    "size", [1, 4095, 4096, 65535, 65536, 65537, MIB - 1, MIB, MIB + 1, 9 * MIB + 3]
)
def test_a_file_of_any_size_is_read_whole(size, mount, registry):
    content = Seeded(size, size)
    assert the_file(mount, registry, content).read_bytes() == content.read(0, size)


@pytest.mark.parametrize("kind", ["fake registry", "dir"])
def test_offsets_beyond_4_gib_are_right(kind, mount, registry, tmp_path):
    size = 5 * 1024 * MIB + 777
    if kind == "fake registry":
        content = Seeded(3, size)
        path = the_file(mount, registry, content)
        read = content.read
    else:
        path, read = sparse_file(mount, tmp_path, size)
    assert os.stat(path).st_size == size
    for off in (0, 2**31 - 50, 2**32 - 50, 2**32 + 123456, size - 100):
        assert read_at(path, off, 100) == read(off, 100)


def sparse_file(mount, tmp_path, size):
    """A file with holes in a mounted directory, and a reader of the original."""
    plain = tmp_path / "source/p/m/data.bin"
    plain.parent.mkdir(parents=True)
    with open(plain, "wb") as f:
        for off in (2**31 - 40, 2**32 - 40, 2**32 + 123500, size - 50):
            f.seek(off)
            f.write(b"here" * 5)
        f.truncate(size)
    mounted = mount(f"dir://{tmp_path}/source") / "p/m/files/data.bin"
    return mounted, lambda off, length: read_at(plain, off, length)


# Many at once.


def read_all(path):
    with open(path, "rb", buffering=0) as f:
        parts = []
        while part := f.read(MIB):
            parts.append(part)
    return b"".join(parts)


def test_sixteen_readers_of_one_cold_file_share_one_flight(mount, registry):
    content = Seeded(21, 32 * MIB)
    path = the_file(mount, registry, content)
    want = content.read(0, content.size)
    start = threading.Barrier(16)

    def reader(_):
        start.wait(30)
        return read_all(path) == want

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(reader, range(16)))
    assert registry.content_bytes <= content.size * 1.02


def test_sixteen_processes_of_one_cold_file_share_one_flight(mount, registry):
    content = Seeded(22, 16 * MIB)
    path = the_file(mount, registry, content)
    readers = [
        subprocess.Popen(["sha256sum", path], stdout=subprocess.PIPE, text=True) for _ in range(16)
    ]
    found = {reader.communicate(timeout=120)[0].split()[0] for reader in readers}
    assert found == {content.sha256()}
    assert registry.content_bytes <= content.size * 1.02


def test_readers_at_random_places_of_many_files_get_their_own_bytes(mount, registry):
    contents = {f"f{i}": Seeded(100 + i, 3 * MIB + i) for i in range(12)}
    registry.add_model("p", "m", kind="Custom", files=contents)
    root = mount(registry.source) / "p/m/files"

    def reader(number):
        chance = random.Random(number)
        for _ in range(60):
            name = chance.choice(sorted(contents))
            off, length = chance.randrange(contents[name].size), chance.randrange(1, 200000)
            if read_at(root / name, off, length) != contents[name].read(off, length):
                return f"{name} at {off}, {length} bytes"
        return None

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        assert set(pool.map(reader, range(12))) == {None}


def test_ranks_that_map_one_file_each_see_the_right_bytes(mount, registry):
    content = Seeded(31, 24 * MIB)
    path = the_file(mount, registry, content)
    part = content.size // 8
    ranges = [(number * part, (number + 1) * part) for number in range(8)]
    ranks = [start_map_reader(path, [one]) for one in ranges]
    found = [rank.communicate(timeout=100)[0].strip() for rank in ranks]
    assert found == range_digests(content, ranges)


# How much is fetched.


def test_a_first_touch_does_not_fetch_the_file(mount, registry):
    content = Seeded(41, 256 * MIB)
    path = the_file(mount, registry, content)
    assert read_at(path, 100 * MIB, 4096) == content.read(100 * MIB, 4096)
    assert registry.content_bytes <= 8 * MIB


def test_scattered_reads_fetch_what_they_need(mount, registry):
    content = Seeded(42, 256 * MIB)
    path = the_file(mount, registry, content)
    offsets = random.Random(1).sample(range(0, 255), 32)
    with open(path, "rb", buffering=0) as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for mib in offsets:
            assert os.pread(f.fileno(), 4096, mib * MIB) == content.read(mib * MIB, 4096)
    assert registry.content_bytes <= 32 * MIB


def test_a_second_read_fetches_nothing(mount, registry):
    content = Seeded(43, 8 * MIB)
    path = the_file(mount, registry, content)
    first = read_all(path)
    fetched = registry.content_bytes
    assert read_all(path) == first
    assert registry.content_bytes == fetched


def test_a_reply_does_not_wait_for_the_rest_of_its_block(mount, registry):
    content = Seeded(44, 64 * MIB)
    registry.fail("content", fake.stall(512 * 1024))
    path = the_file(mount, registry, content)
    assert read_at(path, 0, 4096) == content.read(0, 4096)
    registry.heal()


def test_a_hung_registry_does_not_hold_up_what_is_cached(mount, registry, expected_log):
    expected_log(LOG)
    contents = {"warm": Seeded(45, 4 * MIB), "cold": Seeded(46, 64 * MIB)}
    registry.add_model("p", "m", kind="Custom", files=contents)
    root = mount(registry.source, deadline=5) / "p/m/files"
    want = read_all(root / "warm")
    seen = registry.count["content"]
    registry.hangs = True
    stuck = [
        subprocess.Popen(
            ["dd", f"if={root}/cold", "of=/dev/null", "bs=4k", "count=1", f"skip={i * 1500}"],
            stderr=subprocess.DEVNULL,
        )
        for i in range(40)
    ]
    assert registry.wait_for(lambda: registry.count["content"] > seen)
    run("dd", f"if={root}/warm", "of=/dev/null", "bs=1M", "iflag=direct", timeout=4)
    assert read_all(root / "warm") == want
    os.stat(root / "cold")
    registry.release()
    for process in stuck:
        process.wait(60)


def test_a_reader_that_is_killed_leaves_the_mount_well(mount, registry):
    content = Seeded(47, 16 * MIB)
    path = the_file(mount, registry, content)
    registry.fail("content", fake.hold)
    reader = subprocess.Popen(["cat", path], stdout=subprocess.DEVNULL)
    assert registry.wait_for(lambda: registry.count["content"] > 0)
    reader.kill()
    assert reader.wait(20) == -9
    registry.heal()
    assert read_all(path) == content.read(0, content.size)


# Memory.


@pytest.mark.big
def test_the_mount_keeps_to_its_memory_while_many_read(mount, registry):
    content = Seeded(48, 512 * MIB)
    registry.add_model("p", "m", kind="Custom", files={"data.bin": content})
    mounted = mount(registry.source, memory="64M", cache_size="128M")
    path = mounted / "p/m/files/data.bin"
    part = content.size // 16
    readers = [
        subprocess.Popen(
            [
                "dd",
                f"if={path}",
                "of=/dev/null",
                "bs=1M",
                f"skip={i * part // MIB}",
                f"count={part // MIB}",
            ],
            stderr=subprocess.DEVNULL,
        )
        for i in range(16)
    ]
    assert [reader.wait(200) for reader in readers] == [0] * 16
    assert anonymous_peak(mounted) < 200 * MIB


def anonymous_peak(mounted):
    """Memory of its own, in bytes: the map of the cache's file is the kernel's to take back."""
    text = open(f"/proc/{mounted.pid}/status").read().split()
    return int(text[text.index("RssAnon:") + 1]) * 1024
