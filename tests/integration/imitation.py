# SPDX-License-Identifier: Apache-2.0
"""Plain files where a mount has them: what `.modelfs` tells of a model, made to measure."""

import json
import os
import struct

MODIFIED = "2026-01-02T03:04:05Z"


def checkpoint(step, metrics, tensors=(), files=(), **more):
    """A checkpoint's facts."""
    facts = {
        "name": f"ckpt-{step}",
        "format": "safetensors",
        "step": step,
        "complete": "missing" not in more,
        "size": sum(f["size"] for f in files),
        "modified": MODIFIED,
        "metrics": metrics,
        "files": list(files),
    }
    if tensors:
        facts["tensors"] = [t.facts for t in tensors]
    return {**facts, **more}


def file(path, size, digest=None):
    return {"path": path, "size": size, "modified": MODIFIED, **({"digest": digest} if digest else {})}


class Tensor:
    """A tensor of numbers that struct packs as @code."""

    def __init__(self, name, dtype, code, values, shape=None):
        self.name = name
        self.data = struct.pack(f"<{len(values)}{code}", *values)
        self.shape = [len(values)] if shape is None else shape
        self.facts = {
            "name": name,
            "dtype": dtype,
            "shape": self.shape,
            "file": "model.safetensors",
            "offset": 0,
            "bytes": len(self.data),
        }

    def npy(self):
        shape = "".join(f"{n}, " for n in self.shape)
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}"
        header += " " * (-(len(header) + 11) % 64) + "\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + self.data


class Model:
    """A model's directory below @root, filled as its checkpoints are added."""

    def __init__(self, root, entry="m", best=None, latest=None, **more):
        self.path = root / entry
        self.checkpoints = []
        self.facts = {
            "kind": "model",
            "registry": "dir:///imitated",
            "project": "p",
            "id": entry,
            "name": entry,
            "type": "Custom",
            "modified": MODIFIED,
            "size": 0,
            "latest": latest,
            "best": best or {},
            "metrics": {},
            "files": [],
            **more,
        }
        self.write()

    def write(self):
        brief = [{k: v for k, v in c.items() if k != "tensors"} for c in self.checkpoints]
        hidden = self.path / ".modelfs"
        hidden.mkdir(parents=True, exist_ok=True)
        (hidden / "info.json").write_text(json.dumps({**self.facts, "checkpoints": brief}))

    def add(self, facts, tensors=()):
        """Adds a checkpoint, which becomes the latest one; its path."""
        self.checkpoints.append(facts)
        self.facts["latest"] = facts["name"]
        self.write()
        folder = self.path / facts["name"]
        hidden = folder / ".modelfs"
        hidden.mkdir(parents=True)
        (hidden / "info.json").write_text(json.dumps(facts))
        for tensor in tensors:
            place = hidden / "tensors" / (tensor.name + ".npy")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(tensor.npy())
        link = self.path / "latest"
        if os.path.lexists(link):
            link.unlink()
        link.symlink_to(facts["name"])
        return folder

    def history(self, metric, values):
        """values: {step: value}, or the file's text."""
        folder = self.path / ".modelfs" / "history"
        folder.mkdir(exist_ok=True)
        if not isinstance(values, str):
            rows = "".join(f"{step},,{value}\n" for step, value in values.items())
            values = "step,wall_time,value\n" + rows
        (folder / f"{metric}.csv").write_text(values)
