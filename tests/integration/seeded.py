# SPDX-License-Identifier: Apache-2.0
"""Content made from a seed: any range of any size at once, without a file behind it.

Each MiB is a run of the same random bytes, begun at another place, with its number in front, so
that bytes of a wrong block, a wrong offset or a wrong seed never compare equal.
"""

import hashlib
import random

UNIT = 1 << 20
SLIDE = 1 << 16


class Seeded:
    """`size` bytes that depend on `seed` alone."""

    def __init__(self, seed, size):
        self.size = size
        self.seed = seed
        self._base = random.Random(seed).randbytes(UNIT + SLIDE)

    def _unit(self, number):
        start = (number * 4099) % SLIDE
        stamp = hashlib.sha256(f"{self.seed}:{number}".encode()).digest()
        return stamp + self._base[start : start + UNIT - len(stamp)]

    def read(self, off, length):
        """Bytes [off, off + length), fewer at the end, as a pread of a file would give them."""
        end = min(off + length, self.size)
        if off >= end:
            return b""
        units = b"".join(self._unit(n) for n in range(off // UNIT, (end - 1) // UNIT + 1))
        start = off % UNIT
        return units[start : start + end - off]

    def write_to(self, path):
        """Writes all of it to a file and returns the path."""
        with open(path, "wb") as out:
            for off in range(0, self.size, UNIT):
                out.write(self.read(off, UNIT))
        return path

    def sha256(self):
        digest = hashlib.sha256()
        for off in range(0, self.size, UNIT):
            digest.update(self.read(off, UNIT))
        return digest.hexdigest()


class Bytes:
    """The same face over bytes in memory."""

    def __init__(self, data):
        self.data = bytes(data)
        self.size = len(self.data)

    def read(self, off, length):
        return self.data[off : off + length]

    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()


def as_content(value):
    return Bytes(value) if isinstance(value, (bytes, bytearray)) else value
