# SPDX-License-Identifier: Apache-2.0
"""Other filesystems over the same bytes.

A rival is mounted, read and unmounted like ours. Each is given the source it is made for: rclone
nginx, mount-s3 and geesefs the S3 server, gcsfuse a fake-gcs-server. Options are their defaults,
but for the cache.
"""

import os
import subprocess

from bench_sources import BUCKET, KEY, MIB, REGION, SECRET, start, stop
from processes import is_mounted, wait_mount_table

# What a far row lets a rival read: one that takes a single connection would take minutes for more.
FAR_BYTES = 256 * MIB


class Mounted:
    """A filesystem of somebody else, mounted. Ends once."""

    def __init__(self, command, target, log, env=None):
        target.mkdir(exist_ok=True)
        self.path, self.log, self.ended = target, log, False
        self.process = start(command, log, env)
        if not wait_mount_table(lambda: is_mounted(target), self.process, 60):
            self.end()
            said = log.read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"{command[0]} did not mount: {said[-1][:200] if said else ''}")

    @property
    def pid(self):
        return self.process.pid

    def end(self):
        if self.ended:
            return
        self.ended = True
        for _ in range(3):
            if not is_mounted(self.path):
                break
            subprocess.run(["fusermount3", "-u", self.path], capture_output=True, timeout=30)
        if is_mounted(self.path):
            subprocess.run(["fusermount3", "-uz", self.path], capture_output=True, timeout=30)
        stop(self.process)


class Rclone:
    """`rclone mount` of nginx, by its http backend."""

    name, source, has_cache = "rclone", "nginx", True

    def command(self, binary, address, cache, mode):
        words = [binary, "mount", ":http:", "--http-url", f"http://{address}/", "--read-only"]
        return [*words, "--vfs-cache-mode", mode, "--cache-dir", cache, "--config", "/dev/null"]

    def env(self):
        return {}

    def place(self, command, target):
        return [*command[:3], target, *command[3:]]


class OfS3:
    source = "s3"

    def env(self):
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}

    def place(self, command, target):
        return [*command, BUCKET, target]


class MountS3(OfS3):
    name, has_cache = "mount-s3", True

    def command(self, binary, address, cache, mode):
        words = [binary, "--foreground", "--read-only", "--force-path-style", "--region", REGION]
        words += ["--endpoint-url", f"http://{address}"]
        return words + (["--cache", cache] if mode == "full" else [])


class Geesefs(OfS3):
    """Without its cache on disk: what memory has no room for goes there, until the mount ends."""

    name, has_cache = "geesefs", False

    def command(self, binary, address, cache, mode):
        return [binary, "-f", "--endpoint", f"http://{address}", "--region", REGION]


class Gcsfuse:
    name, source, has_cache = "gcsfuse", "gcs", True

    def command(self, binary, address, cache, mode):
        words = [binary, "--foreground", "--anonymous-access", "--implicit-dirs"]
        words += ["--enable-hns=false"]  # what it asks for that by gRPC, the server has not
        words += ["--custom-endpoint", f"http://{address}/storage/v1/"]
        if mode == "full":
            words += ["--cache-dir", cache, "--file-cache-max-size-mb", "-1"]
        return words

    def env(self):
        return {}

    def place(self, command, target):
        return [*command, BUCKET, target]


KNOWN = {rival.name: rival for rival in (Rclone(), MountS3(), Geesefs(), Gcsfuse())}
NO_WAY = {"hf-mount": "it wants a Hugging Face hub, and none runs here"}


class Rivals:
    """Those that run here. A rival that cannot is named once, and left out from then on."""

    def __init__(self, bench):
        self.bench, self.binaries, self.number = bench, {}, 0
        rclone = bench.find("rclone", "BENCH_RCLONE")
        if rclone:
            self.binaries["rclone"] = rclone
        for path in filter(None, os.environ.get("BENCH_PEERS", "").split(":")):
            self._add(path)

    def _add(self, path):
        name = os.path.basename(path)
        if not os.access(path, os.X_OK):
            self.bench.figures.note(None, f"{path}: skipped, no program is there")
        elif name in NO_WAY:
            self.bench.figures.note(None, f"{name}: skipped, {NO_WAY[name]}")
        elif name in KNOWN or name == "fake-gcs-server":
            self.binaries[name] = os.path.abspath(path)
        else:
            self.bench.figures.note(None, f"{name}: skipped, the bench has no way to mount it")

    def __contains__(self, name):
        return name in self.binaries

    def names(self):
        return [name for name in KNOWN if name in self]

    def mount(self, name, mode, far=False):
        """Mounts a rival with its cache ("full") or without ("off")."""
        rival, source = KNOWN[name], self.bench.sources(KNOWN[name].source)
        if not source:
            raise RuntimeError(f"{name} has no {rival.source} to read from")
        address = self.bench.sources.far(source.address) if far else source.address
        self.number += 1
        cache = self.bench.new_folder(f"{name}-cache")
        target = self.bench.folder / f"{name}-mnt"
        log = self.bench.folder / f"{name}{self.number}.log"
        command = rival.command(self.binaries[name], address, cache, mode)
        env = {"HOME": self.bench.folder, **rival.env()}
        mounted = Mounted(rival.place(command, target), target, log, env)
        self.bench.row_ends.callback(mounted.end)
        return mounted
