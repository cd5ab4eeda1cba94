#!/usr/bin/env python3
"""Writes frames.json: tensor frames made by NumPy, independently of shared/tensor. Run: python3 make-frames.py"""
import json
import pathlib
import struct

import numpy as np

JOB = bytes(range(16))
DTYPES = {"i32": 0, "f32": 1, "f16": 2, "int8": 3}


def header(kind, dtype, flags, sequence, position, dims, job=JOB, magic=b"AF", version=1):
    fixed = magic + struct.pack("<BBBB", version, kind, dtype, flags) + job
    fixed += struct.pack("<IIB", sequence, position, len(dims)) + struct.pack(f"<{len(dims)}I", *dims)
    return fixed + bytes(-len(fixed) % 4)


def payload(rows, wire):
    """The bytes of float32 rows on the wire, and the float32 rows that come out of them again."""
    if wire == "f32":
        return rows.tobytes(), rows
    if wire == "f16":
        with np.errstate(over="ignore"):
            half = rows.astype("<f2")
        return half.tobytes(), half.astype("<f4")
    largest = np.abs(rows).max(axis=1)
    scales = np.where(np.isfinite(largest), largest / np.float32(127), np.nan).astype("<f4")
    safe = np.where(scales > 0, scales, np.float32(1))[:, None]
    values = np.where((scales > 0)[:, None], np.clip(np.rint(rows / safe), -127, 127), 0).astype(np.int8)
    return scales.tobytes() + values.tobytes(), scales[:, None] * values.astype("<f4")


def hidden(name, rows, wire, sequence=0, position=0, sample=False, marks=None):
    rows = np.asarray(rows, "<f4")
    data, decoded = payload(rows, wire)
    flags = int(sample) + (0 if marks is None else 2)
    marked = b"" if marks is None else np.asarray(marks, "<u4").tobytes()
    frame = header(1, DTYPES[wire], flags, sequence, position, rows.shape) + marked + data
    return {
        **({} if marks is None else {"marks": marks}),
        "name": name, "kind": "hidden", "wire": wire, "job": JOB.hex(), "sequence": sequence, "position": position,
        "sampleAfter": sample, "shape": list(rows.shape), "input": rows.tobytes().hex(),
        "decoded": np.ascontiguousarray(decoded, "<f4").tobytes().hex(), "frame": frame.hex(),
    }


def tokens(name, ids, sequence=0, position=0, sample=False):
    ids = np.asarray(ids, "<i4")
    frame = header(0, 0, int(sample), sequence, position, ids.shape) + ids.tobytes()
    return {
        "name": name, "kind": "tokens", "wire": "f32", "job": JOB.hex(), "sequence": sequence, "position": position,
        "sampleAfter": sample, "shape": list(ids.shape), "input": ids.tobytes().hex(),
        "decoded": ids.tobytes().hex(), "frame": frame.hex(),
    }


def main():
    random = np.random.default_rng(2)
    rows = random.normal(0, 3, (3, 8)).astype("<f4")
    ties = np.array([[127, 0.5, 1.5, 2.5, -0.5, -1.5, -126.5, 126.5]], "<f4")
    edges = np.array([[0, -0.0, 65504, 65520, 1e-8, 6e-8, -6.1e-5, 1 + 2**-11]], "<f4")
    valid = [
        tokens("one token, decode", [403], sequence=7, position=64, sample=True),
        tokens("a prompt", [1, 403, 407, 261, 2**31 - 1]),
        *(hidden(f"three rows as {w}", rows, w, sequence=1, position=512, sample=True) for w in ("f32", "f16", "int8")),
        hidden("half-precision edges", edges, "f16"),
        hidden("ties go to even", ties, "int8"),
        hidden("a row of zeros keeps scale 0", [[0, 0, 0], [1, -2, 4]], "int8", sequence=2**32 - 1, position=2**24),
        hidden("odd columns need no padding after them", rows[:, :3], "int8"),
        hidden("marks of three rows", rows, "f32", position=64, sample=True, marks=[0, 1, 2**32 - 1]),
        hidden("a mark before an int8 row", rows[:1, :3], "int8", position=65, marks=[0xDEADBEEF]),
    ]
    good = bytes.fromhex(valid[3]["frame"])
    prompt = bytes.fromhex(valid[1]["frame"])
    one = np.float32(1).tobytes()
    invalid = [
        ("empty", b""),
        ("wrong magic", b"FA" + good[2:]),
        ("version 2", good[:2] + b"\x02" + good[3:]),
        ("unknown kind", good[:3] + b"\x02" + good[4:]),
        ("unknown dtype", good[:4] + b"\x04" + good[5:]),
        ("tokens as f32", prompt[:4] + b"\x01" + prompt[5:]),
        ("hidden as i32", good[:4] + b"\x00" + good[5:]),
        ("unknown flag", good[:5] + b"\x04" + good[6:]),
        ("marks that are not there", good[:5] + b"\x02" + good[6:]),
        ("marks of tokens", prompt[:5] + b"\x02" + prompt[6:]),
        ("rank 0", header(1, 1, 0, 0, 0, [])),
        ("rank 3", header(1, 1, 0, 0, 0, [1, 1, 1]) + one),
        ("rank 255", good[:30] + b"\xff" + good[31:]),
        ("hidden of rank 1", header(1, 1, 0, 0, 0, [1]) + one),
        ("no rows", header(1, 1, 0, 0, 0, [0, 8])),
        ("no columns", header(1, 1, 0, 0, 0, [2**24, 0])),
        ("2^64 elements", header(1, 1, 0, 0, 0, [2**32 - 1, 2**32 - 1]) + one),
        ("2^48 elements", header(1, 1, 0, 0, 0, [2**24, 2**24]) + one),
        ("padding not zero", good[:39] + b"\x01" + good[40:]),
        ("cut in the header", good[:33]),
        ("one byte short", good[:-1]),
        ("one byte long", good + b"\x00"),
        ("negative token", header(0, 0, 0, 0, 0, [1]) + struct.pack("<i", -1)),
    ]
    vectors = {"valid": valid, "invalid": [{"name": name, "frame": data.hex()} for name, data in invalid]}
    path = pathlib.Path(__file__).with_name("frames.json")
    path.write_text(json.dumps(vectors, indent=1) + "\n")


main()
