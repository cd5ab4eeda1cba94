"""What native.ts measures, in PyTorch eager mode on one thread: CPU milliseconds as one JSON object."""

import json
import math
import time

import torch
import torch.nn.functional as F
from torch import nn

RUNS = 10


class Block(nn.Module):
    """GPT-2's block: attention and MLP half-layers with LayerNorm before each."""

    def __init__(self, d, heads, sequence):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.fc, self.out = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
        self.register_buffer("future", torch.triu(torch.ones(sequence, sequence, dtype=torch.bool), 1))

    def forward(self, x):
        batch, sequence, d = x.shape
        parts = self.qkv(self.ln_1(x)).split(d, dim=2)
        q, k, v = (part.view(batch, sequence, self.heads, -1).transpose(1, 2) for part in parts)
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(d // self.heads)
        attended = scores.masked_fill(self.future, -math.inf).softmax(-1) @ v
        x = x + self.proj(attended.transpose(1, 2).reshape(x.shape))
        wide = self.fc(self.ln_2(x))
        return x + self.out(0.5 * wide * (1 + torch.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3))))


def cpu_ms(run):
    run()
    start = time.process_time()
    for _ in range(RUNS):
        run()
    return 1000 * (time.process_time() - start) / RUNS


def nano_char_step():
    d, vocabulary, sequence, batch = 128, 65, 64, 12
    embedding, positions, norm = nn.Embedding(vocabulary, d), nn.Embedding(sequence, d), nn.LayerNorm(d)
    blocks = nn.Sequential(*(Block(d, 4, sequence) for _ in range(4)))
    model = nn.ModuleList([embedding, positions, blocks, norm])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    tokens = torch.randint(vocabulary, (batch, sequence))

    def step():
        logits = norm(blocks(embedding(tokens) + positions.weight)) @ embedding.weight.T
        loss = F.cross_entropy(logits.view(-1, vocabulary), tokens.view(-1))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    return cpu_ms(step)


def large_block():
    block = Block(1600, 25, 128)
    x = torch.randn(1, 128, 1600, requires_grad=True)

    def step():
        block.zero_grad()
        block(x).backward(x.detach())

    return cpu_ms(step)


torch.set_num_threads(1)
print(json.dumps({"nanoCharStepMs": nano_char_step(), "largeBlockMs": large_block()}))
