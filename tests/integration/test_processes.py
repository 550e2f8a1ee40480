# SPDX-License-Identifier: Apache-2.0
"""The fixtures keep their promise: a mount always ends, and what is not right fails its test.

They are tried on a stand-in: a shell script that mounts tools/ceiling.c and can be told to err.
"""

import os
import pathlib

import pytest
from conftest import Mounts
from processes import Failure, Watchdog, complaints, is_mounted

STAND_IN = """#!/bin/sh
[ "$1" = umount ] && exec fusermount3 -u "$2"
%s
exec %s %s "$4"
"""


@pytest.fixture
def stand_in(modelfs_bin, tmp_path):
    """stand_in(line) -> Mounts over a script with one more line, ended by the test."""
    ceiling = pathlib.Path(modelfs_bin).parents[1] / "tests" / "ceiling"
    (tmp_path / "content").write_text("content")
    made = []

    def make(line="", allowed=(), seconds=60):
        script = tmp_path / "modelfs"
        script.write_text(STAND_IN % (line, ceiling, tmp_path / "content"))
        script.chmod(0o755)
        dog = Watchdog(seconds)
        made.append((dog, Mounts(str(script), tmp_path, list(allowed), dog)))
        return made[-1][1]

    yield make
    for dog, mounts in made:
        dog.stop()
        assert not [m for m in mounts.made if is_mounted(m.path)]
        assert not [m for m in mounts.made if m.process.poll() is None]


def test_a_mount_with_nothing_to_complain_of_is_ended(stand_in):
    mounts = stand_in()
    mounted = mounts("source")
    assert (mounted / "file").read_text() == "content"
    mounts.end()
    assert not is_mounted(mounted.path)


def test_a_line_in_the_log_fails_unless_it_was_expected(stand_in):
    mounts = stand_in("echo something odd >&2")
    mounts("source")
    with pytest.raises(AssertionError, match="something odd"):
        mounts.end()
    mounts = stand_in("echo something odd >&2", allowed=["odd$"])
    mounts("source")
    mounts.end()


SANITIZERS = [
    "==1==ERROR: AddressSanitizer: heap-use-after-free",
    "==1==ERROR: LeakSanitizer: detected memory leaks",
    "fs/a.c:5:7: runtime error: signed integer overflow",
    "WARNING: ThreadSanitizer: data race (pid=1)",
]


@pytest.mark.parametrize("line", SANITIZERS)
def test_what_a_sanitizer_says_fails_even_where_any_line_was_expected(line):
    assert complaints(line, ["."]) == [line]


def test_a_mount_that_ends_before_it_is_mounted_says_its_log(stand_in):
    mounts = stand_in("echo cannot do it >&2; exit 1", allowed=["cannot"])
    with pytest.raises(Failure, match="cannot do it"):
        mounts("source")
    mounts.end()


def test_a_mount_that_dies_on_the_way_fails_and_is_unmounted(stand_in):
    mounts = stand_in()
    mounted = mounts("source")
    mounted.process.kill()
    with pytest.raises(AssertionError, match="-9"):
        mounts.end()
    assert not is_mounted(mounted.path)


def test_a_mount_that_stays_busy_fails_and_is_unmounted(stand_in):
    mounts = stand_in()
    mounted = mounts("source")
    with open(mounted / "file"):
        with pytest.raises(AssertionError, match="not unmounted cleanly"):
            mounts.end()
    assert not is_mounted(mounted.path)


@pytest.mark.slow
def test_a_mount_that_hangs_is_ended_by_the_watchdog(stand_in):
    mounts = stand_in("kill -STOP $$", seconds=2)
    mounted = mounts("source", wait=False)
    assert mounted.process.wait(30) < 0
    assert mounts.watchdog.fired
    with pytest.raises(AssertionError):
        mounts.end()


def test_one_failure_keeps_no_other_mount_from_ending(stand_in):
    mounts = stand_in()
    first, second = mounts("source"), mounts("source")
    second.process.kill()
    with pytest.raises(AssertionError):
        mounts.end()
    assert not is_mounted(first.path) and not is_mounted(second.path)
    assert not os.path.exists(second / "file")
