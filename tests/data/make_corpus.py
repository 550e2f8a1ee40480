# SPDX-License-Identifier: Apache-2.0
"""Writes corpus/{safetensors,gguf,npz,npy}: small files as the formats' own libraries write them.

Needs numpy, safetensors and gguf from PyPI; run it in this directory. The unit tests know what is in
them, the fuzzers begin with them.
"""

import io
import pathlib
import struct
import zipfile

import gguf
import numpy as np
from safetensors.numpy import save_file

CORPUS = pathlib.Path(__file__).parent / "corpus"
MATRIX = np.arange(6, dtype="<f4").reshape(2, 3)


def safetensors():
    out = CORPUS / "safetensors"
    save_file({"w": MATRIX, "b": np.ones(3, "<f2"), "n": np.array(7)}, out / "three.safetensors", {"format": "pt"})
    save_file({}, out / "empty.safetensors")
    header = b'{"x":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]},"q":{"dtype":"F9","shape":[2],"data_offsets":[8,9]}}'
    (out / "types.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(9))
    whole = (out / "three.safetensors").read_bytes()
    (out / "cut.safetensors").write_bytes(whole[:-5])


def gguf_file(name, endian):
    writer = gguf.GGUFWriter(CORPUS / "gguf" / name, "llama", endianess=endian)
    writer.add_block_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_token_list(["<s>", "</s>", "a"])
    writer.add_token_types([3, 3, 1])
    writer.add_int64("test.minus", -5)
    writer.add_tensor("w", MATRIX)
    if endian == gguf.GGUFEndian.LITTLE:
        writer.add_tensor("q", np.zeros((2, 34), np.uint8), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def old_gguf():
    def text(word):
        return struct.pack("<I", len(word)) + word

    data = b"GGUF" + struct.pack("<III", 1, 1, 1) + text(b"general.name") + struct.pack("<I", 8) + text(b"old")
    data += text(b"w") + struct.pack("<IIIIQ", 2, 3, 2, 0, 0)
    data += bytes(-len(data) % 32) + MATRIX.tobytes()
    (CORPUS / "gguf" / "v1.gguf").write_bytes(data)


def npz():
    out = CORPUS / "npz"
    record = np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8", (2,))])
    np.savez(out / "arrays.npz", w=MATRIX, f=np.asfortranarray(MATRIX), b=MATRIX.astype(">f8"), s=np.float32(1),
             r=record, t=np.array(["x", "yy"]))
    np.savez_compressed(out / "packed.npz", w=MATRIX)
    with zipfile.ZipFile(out / "comment.npz", "w") as archive:
        archive.comment = b"PK\5\6 is no end"
        with archive.open("sub/w.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, MATRIX)
        archive.writestr("readme.txt", "none")
    (out / "prefix.npz").write_bytes(b"#!/bin/sh\n" + (out / "comment.npz").read_bytes())


def npy():
    for name, array, version in [
        ("plain", MATRIX, (1, 0)),
        ("long", MATRIX.astype("?"), (2, 0)),
        ("utf8", np.zeros(1, dtype=[("ä", "<f4")]), (3, 0)),
        ("complex", np.zeros((1, 2, 3), "<c16"), (1, 0)),
    ]:
        out = io.BytesIO()
        np.lib.format.write_array(out, array, version)
        (CORPUS / "npy" / f"{name}.npy").write_bytes(out.getvalue())
    (CORPUS / "npy" / "python2.npy").write_bytes(
        b"\x93NUMPY\1\0\x46\0" + b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }".ljust(69) + b"\n" + bytes(12)
    )


if __name__ == "__main__":
    for folder in ("safetensors", "gguf", "npz", "npy"):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    safetensors()
    gguf_file("v3.gguf", gguf.GGUFEndian.LITTLE)
    gguf_file("big.gguf", gguf.GGUFEndian.BIG)
    old_gguf()
    npz()
    npy()
