#!/usr/bin/env python3
"""
Checks updates.json against an implementation of the update codec in NumPy that shares nothing with shared/train:
it encodes every input to the same bytes, decodes them, and refuses what is invalid. Run: python3 check-updates.py
"""
import hashlib
import json
import math
import pathlib
import re
import struct

import numpy as np

DECAY, SIDE, BLOCK = 0.95, 64, 4096
CODECS = ["none", "int8", "sparse"]
F32, F64 = np.dtype("<f4"), np.dtype("<f8")


class Invalid(Exception):
    pass


def demand(condition):
    if not condition:
        raise Invalid


def values_of(shape):
    return math.prod(shape)


def space_hash(space):
    lines = (f"{json.dumps(t['name'], ensure_ascii=False)} {'x'.join(map(str, t['shape']))}\n" for t in space)
    return hashlib.sha256("".join(lines).encode()).digest()


def blocks(space):
    """The places of every block's values in the space, in the order of the bytes."""
    start = 0
    for tensor in space:
        shape = tensor["shape"]
        places = start + np.arange(values_of(shape))
        start += values_of(shape)
        if len(shape) < 2:
            yield from (places[at:at + BLOCK] for at in range(0, len(places), BLOCK))
            continue
        matrix = places.reshape(-1, shape[-1])
        for top in range(0, matrix.shape[0], SIDE):
            for left in range(0, matrix.shape[1], SIDE):
                yield matrix[top:top + SIDE, left:left + SIDE].reshape(-1)


def header(of, space, fmt):
    fixed = b"AILOUPD\x01" + struct.pack("<BBHI", CODECS.index(fmt["codec"]), 0, fmt.get("keep", 0), of["round"])
    fixed += bytes.fromhex(of["unit"]) + bytes.fromhex(of["start"]) + space_hash(space)
    fixed += struct.pack("<IQ", len(space), sum(values_of(t["shape"]) for t in space)) + bytes(7)
    return fixed + bytes([len(of["campaign"])]) + of["campaign"].encode()


def pack(bits):
    return np.packbits(np.array(bits, np.uint8), bitorder="little").tobytes()


def encode_sparse(u, keep):
    """The bytes of a block and what they say."""
    sent = np.zeros(len(u), F32)
    full = min(keep, len(u))
    magnitude = np.abs(u)
    order = np.argsort(-magnitude, kind="stable")[:full]
    chosen = np.sort(order[magnitude[order] >= np.float32(2.0**-24)])
    n = len(chosen)
    gaps = np.diff(chosen, prepend=-1) - 1
    k = min(range(12), key=lambda k: n * (k + 1) + int((gaps >> k).sum())) if n else 0
    data = bytes([k]) if n == full else struct.pack("<BH", 0x80 | k, n)
    if n == 0:
        return data, sent
    ordered = np.sort(magnitude[chosen]).astype(F64)
    sums = np.cumsum(ordered)
    lower = upper = sums[-1] / n
    if n > 1:
        below, count = sums[:-1], np.arange(1, n)
        above = sums[-1] - below
        split = int(np.argmax(below * below / count + above * above / (n - count)))
        lower, upper = below[split] / (split + 1), above[split] / (n - split - 1)
    levels = np.minimum([lower, upper], 65504).astype(F32).astype("<f2")
    values = levels.astype(F32)
    high = magnitude[chosen].astype(F64) > (float(values[0]) + float(values[1])) / 2
    negative = u[chosen] < 0
    sent[chosen] = np.where(high, values[1], values[0]) * np.where(negative, np.float32(-1), np.float32(1))
    bits = [bit for one, two in zip(negative, high) for bit in (one, two)]
    for gap in map(int, gaps):
        bits += [1] * (gap >> k) + [0] + [gap >> i & 1 for i in range(k)]
    return data + levels.tobytes() + pack(bits), sent


def encode_int8(u):
    scale = np.float32(min(np.abs(u).max() / np.float32(127), np.float32(2.0**100)))
    steps = np.zeros(len(u)) if scale == 0 else np.clip(np.rint((u / (scale or 1)).astype(F32)), -127, 127)
    return scale.astype(F32).tobytes() + steps.astype(np.int8).tobytes(), scale * steps.astype(F32)


def encode(of, space, fmt, delta, feedback):
    """The bytes, and the error feedback afterwards."""
    u = (DECAY * feedback.astype(F64) + delta.astype(F64)).astype(F32)
    parts = [header(of, space, fmt)]
    for places in blocks(space):
        if fmt["codec"] == "none":
            data, sent = u[places].tobytes(), u[places].copy()
        else:
            data, sent = encode_int8(u[places]) if fmt["codec"] == "int8" else encode_sparse(u[places], fmt["keep"])
        parts.append(data)
        u[places] -= sent
    return b"".join(parts), u


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        demand(self.at + count <= len(self.data))
        self.at += count
        return self.data[self.at - count:self.at]


def decode_sparse(reader, size, keep):
    values, full = np.zeros(size, F32), min(keep, size)
    tag, = reader.take(1)
    k, n = tag & 15, full
    demand(not tag & 0x70 and k <= 11)
    if tag & 0x80:
        n, = struct.unpack("<H", reader.take(2))
        demand(n < full and (n > 0 or k == 0))
    if n == 0:
        return values
    patterns = struct.unpack("<HH", reader.take(4))
    demand(0 < patterns[0] <= patterns[1] < 0x7C00)
    levels = np.array(patterns, "<u2").view("<f2").astype(F32)
    bits = np.unpackbits(np.frombuffer(reader.data[reader.at:], np.uint8), bitorder="little")
    demand(2 * n <= len(bits))
    at, index = 2 * n, -1
    for i in range(n):
        quotient = 0
        while True:
            demand(at < len(bits))
            at += 1
            if not bits[at - 1]:
                break
            quotient += 1
        demand(at + k <= len(bits))
        index += 1 + (quotient << k) + sum(int(bits[at + j]) << j for j in range(k))
        at += k
        demand(index < size)
        values[index] = levels[bits[2 * i + 1]] * (-1 if bits[2 * i] else 1)
    demand(not bits[at:-(-at // 8) * 8].any())
    reader.take(-(-at // 8))
    return values


def decode(of, space, fmt, data):
    reader = Reader(data)
    expected = header(of, space, fmt)
    fixed = reader.take(116)
    demand(fixed[:115] == expected[:115])
    demand(re.fullmatch(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", reader.take(fixed[115])))
    values = np.zeros(sum(values_of(t["shape"]) for t in space), F32)
    for places in blocks(space):
        size = len(places)
        if fmt["codec"] == "sparse":
            values[places] = decode_sparse(reader, size, fmt["keep"])
        elif fmt["codec"] == "none":
            values[places] = np.frombuffer(reader.take(4 * size), F32)
            demand(np.isfinite(values[places]).all())
        else:
            scale = np.frombuffer(reader.take(4), F32)[0]
            steps = np.frombuffer(reader.take(size), np.int8)
            demand(0 <= scale <= 2.0**100 and (steps > -128).all())
            values[places] = scale * steps.astype(F32)
    demand(reader.at == len(data))
    return values


def lower_median(values):
    return sorted(values)[(len(values) - 1) // 2]


def confirmed_mean(updates, space, sequences, staleness):
    """The trust in each of the updates, and the values they make together."""
    weights = np.array(sequences, F64) / (1 + np.array(staleness, F64))
    weights = weights / (sum(weights.tolist()) / len(weights))
    places = np.concatenate(list(blocks(space)))
    norms = [math.sqrt(math.fsum(float(x) ** 2 for x in update[places])) for update in updates]
    clip = [min(1.0, lower_median(norms) / norm) for norm in norms]
    signs = np.sign(np.stack(updates)).astype(F64)
    sent = signs != 0
    agreed = (signs * (signs.sum(0) - signs)).sum(1)
    agreement = agreed / (sent * (sent.sum(0) - 1)).sum(1)
    trust = np.clip(2 * agreement / lower_median(agreement), 0, 1)
    values = np.stack([update.astype(F64) * c for update, c in zip(updates, clip)])
    for block in blocks(space):
        cap = lower_median(np.abs(values[:, block]).max(1))
        values[:, block] = np.clip(values[:, block], -cap, cap)
    total, weight = np.zeros(len(updates[0])), np.zeros(len(updates[0]))
    for k in range(len(updates)):
        total += weights[k] * trust[k] * values[k]
        weight += weights[k] * trust[k] * sent[k]
    return trust, (9 / 8 * total / (1 / 4 + weight)).astype(F32)


def check_aggregate(of, v):
    space, updates = v["space"], []
    for i in v["inputs"]:
        count = sum(values_of(t["shape"]) for t in space)
        common, own = (random_values(count, seed, i["deviation"]).astype(F64) for seed in (i["common"], i["seed"]))
        delta = (i["factor"] * (own + common)).astype(F32)
        data, _ = encode(of, space, v["uplink"], delta, np.zeros(count, F32))
        updates.append(decode(of, space, v["uplink"], data))
    trust, values = confirmed_mean(updates, space, v["sequences"], v["staleness"])
    assert np.allclose(trust, v["trust"], rtol=1e-12), v["name"]
    data, _ = encode(of | {"unit": "00" * 16}, space, v["downlink"], values, np.zeros(len(values), F32))
    assert data.hex() == v["bytes"], v["name"]


def random_values(count, seed, deviation):
    state, values = seed, np.zeros(count)
    for i in range(count):
        total = -2.0
        for _ in range(4):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            total += (state >> 8) / 2**24
        values[i] = deviation * math.sqrt(3) * total
    return values.astype(F32)


def sha(values):
    return hashlib.sha256(np.ascontiguousarray(values + np.float32(0), F32).tobytes()).hexdigest()


def same(a, b):
    return np.array_equal(a, b)


def main():
    vectors = json.loads(pathlib.Path(__file__).with_name("updates.json").read_text())
    of = vectors["header"]
    for v in vectors["random"]:
        count = sum(values_of(t["shape"]) for t in v["space"])
        assert space_hash(v["space"]).hex() == v["spaceHash"], v["name"]
        feedback = random_values(count, **v["feedback"]) if v["feedback"] else np.zeros(count, F32)
        data, rest = encode(of, v["space"], v["format"], random_values(count, **v["input"]), feedback)
        assert v.get("bytes", data.hex()) == data.hex(), v["name"]
        assert v.get("bytesHash", hashlib.sha256(data).hexdigest()) == hashlib.sha256(data).hexdigest(), v["name"]
        assert sha(decode(of, v["space"], v["format"], data)) == v["decodedHash"], v["name"]
        assert sha(rest) == v["feedbackHash"], v["name"]
    for v in vectors["explicit"]:
        delta, decoded, rest = (np.frombuffer(bytes.fromhex(v[k]), F32) for k in ("input", "decoded", "feedback"))
        data, ours = encode(of, v["space"], v["format"], delta, np.zeros(len(delta), F32))
        assert data.hex() == v["bytes"], v["name"]
        assert same(ours, rest) and same(decode(of, v["space"], v["format"], data), decoded), v["name"]
    for v in vectors["aggregates"]:
        check_aggregate(of, v)
    for v in vectors["invalid"]:
        try:
            decode(of, vectors["invalidSpace"], vectors["invalidFormat"], bytes.fromhex(v["bytes"]))
        except Invalid:
            continue
        raise AssertionError(f"accepted: {v['name']}")
    print(f"{sum(len(vectors[kind]) for kind in ('random', 'explicit', 'aggregates', 'invalid'))} vectors hold")


main()
