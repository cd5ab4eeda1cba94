#!/usr/bin/env python3
"""
Compares rules of aggregation on a replica of nano-char federated training (tinyshakespeare by characters), honest and
with 2 of 8 workers lying. Needs PyTorch and ../shared/corpora; prints the table of docs/training-averaging.md.

    python3 tests/bench/averaging.py --preset nano --batch 4 --steps 300 --rules fedavg,all,senders,confirmed --attacks none,flip

All workers train at once as one model whose tensors have a leading worker dimension.
"""
import argparse
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F

CORPUS = pathlib.Path(__file__).resolve().parents[3] / "shared/corpora/tinyshakespeare/input.txt"
PRESETS = {
    # nanoGPT's CPU setting, and a small one to explore with.
    "nano": dict(layers=4, heads=4, width=128, context=64, batch=12),
    "tiny": dict(layers=2, heads=4, width=64, context=32, batch=8),
}
BLOCK, KEEP, BETA = 4096, 64, 0.95


class Model:
    """GPT-2's architecture with a tied head; every function takes parameters with a leading worker dimension."""

    def __init__(self, vocabulary, layers, heads, width, context, batch):
        self.layers, self.heads, self.width, self.context, self.batch = layers, heads, width, context, batch
        shapes = {"wte": (vocabulary, width), "wpe": (context, width)}
        for i in range(layers):
            shapes |= {f"{i}.ln1.w": (width,), f"{i}.ln1.b": (width,), f"{i}.ln2.w": (width,), f"{i}.ln2.b": (width,)}
            for name, rows, columns in (("qkv", width, 3 * width), ("out", width, width),
                                        ("up", width, 4 * width), ("down", 4 * width, width)):
                shapes |= {f"{i}.{name}.w": (rows, columns), f"{i}.{name}.b": (columns,)}
        self.shapes = shapes | {"ln.w": (width,), "ln.b": (width,)}

    def initial(self, generator):
        weights = {}
        for name, shape in self.shapes.items():
            if name.endswith(("ln1.w", "ln2.w", "ln.w")):
                weights[name] = torch.ones(shape)
            elif len(shape) == 1:
                weights[name] = torch.zeros(shape)
            else:
                scale = 0.02 / (math.sqrt(2 * self.layers) if name.endswith(("out.w", "down.w")) else 1)
                weights[name] = torch.randn(shape, generator=generator) * scale
        return weights

    def losses(self, p, tokens, targets):
        """Mean cross-entropy of each worker; tokens and targets are [W, B, T]."""
        W, B, T = tokens.shape
        heads, width = self.heads, self.width
        rows = tokens + torch.arange(W)[:, None, None] * p["wte"].shape[1]
        x = F.embedding(rows.reshape(W, B * T), p["wte"].reshape(-1, width)).view(W, B, T, width)
        x = (x + p["wpe"][:, None, :T]).view(W, B * T, width)
        norm = lambda x, n: torch.addcmul(p[n + ".b"][:, None], F.layer_norm(x, (width,)), p[n + ".w"][:, None])
        dense = lambda x, n: torch.baddbmm(p[n + ".b"][:, None], x, p[n + ".w"])
        mask = torch.full((T, T), -math.inf).triu(1)
        for i in range(self.layers):
            q, k, v = dense(norm(x, f"{i}.ln1"), f"{i}.qkv").view(W * B, T, 3, heads, -1).permute(2, 0, 3, 1, 4)
            scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads) + mask
            mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(W, B * T, width)
            x = x + dense(mixed, f"{i}.out")
            x = x + dense(F.gelu(dense(norm(x, f"{i}.ln2"), f"{i}.up")), f"{i}.down")
        logits = norm(x, "ln") @ p["wte"].transpose(1, 2)
        flat = F.cross_entropy(logits.reshape(W * B * T, -1), targets.reshape(-1), reduction="none")
        return flat.view(W, -1).mean(1)


class AdamW:
    """nanoGPT's: betas (0.9, 0.99), decay 0.1 on matrices, gradients clipped to norm 1 for each worker."""

    def __init__(self, parameters):
        self.m = {n: torch.zeros_like(p) for n, p in parameters.items()}
        self.v = {n: torch.zeros_like(p) for n, p in parameters.items()}
        self.t = 0

    @torch.no_grad()
    def step(self, parameters, rate):
        self.t += 1
        squares = sum(p.grad.flatten(1).pow(2).sum(1) for p in parameters.values())
        clip = (1 / (squares.sqrt() + 1e-6)).clamp(max=1)
        for n, p in parameters.items():
            g = p.grad * clip.view(-1, *[1] * (p.dim() - 1))
            self.m[n].mul_(0.9).add_(g, alpha=0.1)
            self.v[n].mul_(0.99).addcmul_(g, g, value=0.01)
            if p.dim() > 2:
                p.mul_(1 - rate * 0.1)
            denominator = (self.v[n] / (1 - 0.99**self.t)).sqrt_().add_(1e-8)
            p.addcdiv_(self.m[n], denominator, value=-rate / (1 - 0.9**self.t))
            p.grad = None


class Blocks:
    """Weights ⇄ [workers, blocks, 4096]: 64×64 of matrices, 4096 of vectors, short ones filled up with zeros."""

    def __init__(self, shapes):
        self.shapes = shapes

    def pack(self, weights):
        parts = []
        for name, shape in self.shapes.items():
            w = weights[name]
            W = w.shape[0]
            if len(shape) == 1:
                parts.append(F.pad(w, (0, -shape[0] % BLOCK)).view(W, -1, BLOCK))
            else:
                w = F.pad(w, (0, -shape[1] % 64, 0, -shape[0] % 64))
                rows, columns = w.shape[1] // 64, w.shape[2] // 64
                parts.append(w.view(W, rows, 64, columns, 64).permute(0, 1, 3, 2, 4).reshape(W, -1, BLOCK))
        return torch.cat(parts, 1)

    def unpack(self, blocks):
        weights, at = {}, 0
        for name, shape in self.shapes.items():
            W = blocks.shape[0]
            if len(shape) == 1:
                count = -(-shape[0] // BLOCK)
                weights[name] = blocks[:, at:at + count].reshape(W, -1)[:, :shape[0]]
            else:
                rows, columns = -(-shape[0] // 64), -(-shape[1] // 64)
                count = rows * columns
                w = blocks[:, at:at + count].view(W, rows, columns, 64, 64).permute(0, 1, 3, 2, 4)
                weights[name] = w.reshape(W, rows * 64, columns * 64)[:, :shape[0], :shape[1]]
            at += count
        return weights


def sparse(u, keep=KEEP):
    """What the codec sends of u: the largest `keep` of every block, as a sign and one of two levels."""
    magnitudes, places = u.abs().topk(keep, -1)
    sums = magnitudes.double().cumsum(-1)
    count = (magnitudes > 0).sum(-1, keepdim=True)
    total = sums[..., -1:]
    high = torch.arange(1, keep + 1)
    low = (count - high).clamp(min=0)
    gain = sums**2 / high + torch.where(low > 0, (total - sums) ** 2 / low.clamp(min=1), torch.zeros(()).double())
    best = gain.argmax(-1, keepdim=True)
    top = sums.gather(-1, best) / (best + 1)
    rest = torch.where(count > best + 1, (total - sums.gather(-1, best)) / (count - best - 1).clamp(min=1), top)
    sent = torch.where(high - 1 <= best, top, rest).half().float() * (magnitudes > 0)
    return torch.zeros_like(u).scatter_(-1, places, sent * u.gather(-1, places).sign())


# --- the rules: V is [K, blocks, 4096], zero where a worker sent nothing; the result is [blocks, 4096] --------------

def mean_all(V):
    return V.mean(0)


def mean_senders(V):
    return V.sum(0) / (V != 0).sum(0).clamp(min=1)


def median_all(V):
    half = V.shape[0] // 2
    ordered = V.sort(0)[0]
    return ordered[half] if V.shape[0] % 2 else (ordered[half - 1] + ordered[half]) / 2


def trimmed(V, cut=0.25):
    drop = int(V.shape[0] * cut)
    return V.sort(0)[0][drop:V.shape[0] - drop].mean(0)


def capped(V):
    """Every magnitude at most the cohort's typical largest of its block."""
    cap = V.abs().amax(-1).median(0)[0][None, :, None]
    return V.clamp(-cap, cap)


def agreement(V):
    """Of each worker, from -1 to 1: how often its signs are the others', over all pairs on coordinates both sent."""
    signs, sent = V.sign(), (V != 0).float()
    pairs = (sent * (sent.sum(0) - 1)).sum((1, 2))
    return (signs * (signs.sum(0) - signs)).sum((1, 2)) / pairs.clamp(min=1)


def confirmed(V, prior=0.25, gain=1.125, trusting=True):
    """shared/train/aggregate/rules.ts: `prior` more senders of zero, and a weight for agreeing with the others."""
    trust = torch.ones(len(V))
    if trusting:
        a = agreement(V)
        trust = (2 * a / a.median().clamp(min=1e-9)).clamp(0, 1)
    trust = trust[:, None, None]
    V = capped(V)
    return gain * (trust * V).sum(0) / ((trust * (V != 0)).sum(0) + prior)


RULES = {
    "fedavg": mean_all, "all": mean_all, "senders": mean_senders, "median": median_all, "trimmed": trimmed,
    "confirmed": confirmed,
    # What the rule was found among: other strengths of prior and gain, without trust, and mean over all made larger.
    "confirmed-7x4": lambda V: confirmed(V, 7, 4), "confirmed-1x1": lambda V: confirmed(V, 1, 1), "confirmed-3x2": lambda V: confirmed(V, 3, 2),
    "confirmed-linear": lambda V: confirmed(V, 1e6, 5e5), "untrusting": lambda V: confirmed(V, trusting=False),
    "confirmed-.5x1": lambda V: confirmed(V, 0.5, 1), "untrusting-1x1": lambda V: confirmed(V, 1, 1, False),
    "agreeing": lambda V: confirmed(V, 1, 1, False) * V.sign().sum(0).abs() / (V != 0).sum(0).clamp(min=1),
    "root": lambda V: capped(V).sum(0) / (len(V) * (V != 0).sum(0).clamp(min=1)).sqrt(),
    "all-x4": lambda V: 4 * mean_all(V),
}


def attack(V, kind, liars):
    if kind == "flip":
        V[:liars] *= -1
    elif kind == "x1000":
        V[:liars] *= -1000
    elif kind == "alone":  # on coordinates where a liar is likely to be the only sender
        V[:liars] = -V[:liars].roll(1777, -1)
    return V


def clip_to_median(V):
    norms = V.flatten(1).norm(dim=1)
    return V * (norms.median() / norms.clamp(min=1e-30)).clamp(max=1)[:, None, None]


def run(model, text, held_out, options, rule, kind):
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    W, batch, T = options.workers, options.batch or model.batch, model.context
    base = {n: w[None] for n, w in model.initial(generator).items()}
    blocks = Blocks(model.shapes)
    canonical = blocks.pack(base)[0]
    shards = text[:len(text) // W * W].view(W, -1)
    feedback, downlink = torch.zeros(W, *canonical.shape), torch.zeros_like(canonical)
    parameters = {n: w.repeat(W, *[1] * (w.dim() - 1)).requires_grad_() for n, w in base.items()}
    optimizer = AdamW(parameters)
    dense = rule.startswith("fedavg")
    overlap = []
    for step in range(options.steps):
        warm = options.steps // 20
        decay = 0.5 * (1 + math.cos(math.pi * max(0, step - warm) / max(1, options.steps - warm)))
        rate = 1e-3 * min((step + 1) / warm, 0.1 + 0.9 * decay)
        starts = torch.randint(shards.shape[1] - T - 1, (W, batch), generator=generator)
        index = starts[..., None] + torch.arange(T + 1)
        piece = shards.gather(1, index.view(W, -1)).view(W, batch, T + 1)
        model.losses(parameters, piece[..., :-1], piece[..., 1:]).sum().backward()
        optimizer.step(parameters, rate)
        if (step + 1) % options.local:
            continue
        with torch.no_grad():
            u = BETA * feedback + canonical - blocks.pack(parameters)
            V = u if dense else sparse(u)
            if not dense:
                feedback = u - V
                overlap.append(float((V != 0).sum() / (V != 0).any(0).sum()))
            V = clip_to_median(attack(V.clone(), kind, options.liars))
            total = options.eta * RULES[rule](V)
            if options.downlink and not dense:
                total = downlink + total
                delta = sparse(total[None], options.downlink)[0]
                downlink = BETA * (total - delta)
                total = delta
            canonical = canonical - total
            for n, w in blocks.unpack(canonical[None]).items():
                parameters[n].data.copy_(w.expand_as(parameters[n]))
    with torch.no_grad():
        final = blocks.unpack(canonical[None])
        count = (len(held_out) - 1) // T
        losses = []
        for at in range(0, count, 64):
            piece = torch.stack([held_out[i * T:i * T + T + 1] for i in range(at, min(count, at + 64))])[None]
            losses.append((float(model.losses(final, piece[..., :-1], piece[..., 1:])), piece.shape[1]))
    return sum(l * n for l, n in losses) / sum(n for _, n in losses), float(np.mean(overlap)) if overlap else float(W)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", choices=PRESETS, default="nano")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--local", type=int, default=30)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--liars", type=int, default=2)
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--eta", type=float, default=1.0)
    parser.add_argument("--downlink", type=int, default=0, help="values kept per block on the way back; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rules", default="fedavg,all,senders,confirmed")
    parser.add_argument("--attacks", default="none")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    text = CORPUS.read_text()
    letters = {c: i for i, c in enumerate(sorted(set(text)))}
    data = torch.tensor([letters[c] for c in text])
    cut = int(len(data) * 0.9)
    model = Model(len(letters), **PRESETS[options.preset])
    print(vars(options), flush=True)
    for rule in options.rules.split(","):
        for kind in options.attacks.split(","):
            begin = time.time()
            loss, overlap = run(model, data[:cut], data[cut:], options, rule, kind)
            print(f"{rule:16} {kind:6} loss {loss:.4f}  senders of a coordinate {overlap:.2f}  {time.time() - begin:.0f} s",
                  flush=True)


main()
