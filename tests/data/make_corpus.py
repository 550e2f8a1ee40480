# SPDX-License-Identifier: Apache-2.0
"""Writes corpus/{safetensors,gguf,npz,npy,inflate}: files as the formats' libraries write
them, small.

Needs numpy, safetensors and gguf (PyPI). The unit tests know what is in the files, and the fuzzers
begin with them.
"""

import io
import pathlib
import struct
import zipfile
import zlib

import gguf
import numpy as np
from safetensors.numpy import save_file

CORPUS = pathlib.Path(__file__).parent / "corpus"
MATRIX = np.arange(6, dtype="<f4").reshape(2, 3)


def safetensors():
    out = CORPUS / "safetensors"
    three = {"w": MATRIX, "b": np.ones(3, "<f2"), "n": np.array(7)}
    save_file(three, out / "three.safetensors", {"format": "pt"})
    save_file({}, out / "empty.safetensors")
    header = b'{"x":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]},'
    header += b'"q":{"dtype":"F9","shape":[2],"data_offsets":[8,9]}}'
    data = struct.pack("<Q", len(header)) + header + bytes(9)
    (out / "types.safetensors").write_bytes(data)
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
        blocks = np.zeros((2, 34), np.uint8)
        writer.add_tensor("q", blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def old_gguf():
    def text(word):
        return struct.pack("<I", len(word)) + word

    data = b"GGUF" + struct.pack("<III", 1, 1, 1)
    data += text(b"general.name") + struct.pack("<I", 8) + text(b"old")
    data += text(b"w") + struct.pack("<IIIIQ", 2, 3, 2, 0, 0)
    data += bytes(-len(data) % 32) + MATRIX.tobytes()
    (CORPUS / "gguf" / "v1.gguf").write_bytes(data)


def npz():
    out = CORPUS / "npz"
    record = np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8", (2,))])
    np.savez(
        out / "arrays.npz",
        w=MATRIX,
        f=np.asfortranarray(MATRIX),
        b=MATRIX.astype(">f8"),
        s=np.float32(1),
        r=record,
        t=np.array(["x", "yy"]),
    )
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
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }".ljust(69) + b"\n"
    data = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(12)
    (CORPUS / "npy" / "python2.npy").write_bytes(data)


def inflate():
    def pack(text, level, strategy):
        packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 8, strategy)
        return packer.compress(text) + packer.flush()

    squares = b"".join(b"%d," % (i * i % 97) for i in range(60))
    out = CORPUS / "inflate"
    (out / "stored").write_bytes(pack(b"stored text", 0, zlib.Z_DEFAULT_STRATEGY))
    (out / "fixed").write_bytes(pack(b"fixed fixed fixed text", 9, zlib.Z_FIXED))
    (out / "own").write_bytes(pack(squares, 9, zlib.Z_DEFAULT_STRATEGY))


if __name__ == "__main__":
    for folder in ("safetensors", "gguf", "npz", "npy", "inflate"):
        (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    safetensors()
    gguf_file("v3.gguf", gguf.GGUFEndian.LITTLE)
    gguf_file("big.gguf", gguf.GGUFEndian.BIG)
    old_gguf()
    npz()
    npy()
    inflate()
