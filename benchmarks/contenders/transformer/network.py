"""GPT-2 in small, as the torch-based contenders have it, and the schedule of its learning rate.

Letters: B windows, T characters, H heads, D width of a head.
"""

import math

from torch import Tensor, nn


def fused_attention(q_BHTD: Tensor, k_BHTD: Tensor, v_BHTD: Tensor) -> Tensor:
    return nn.functional.scaled_dot_product_attention(q_BHTD, k_BHTD, v_BHTD, is_causal=True)


class Attention(nn.Module):
    def __init__(self, width, heads, attend):
        super().__init__()
        self.heads, self.attend = heads, attend
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x):
        q_BHTD, k_BHTD, v_BHTD = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.out(self.attend(q_BHTD, k_BHTD, v_BHTD).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, width, heads, attend):
        super().__init__()
        self.norm_1, self.attention = nn.LayerNorm(width, bias=False), Attention(width, heads, attend)
        self.norm_2 = nn.LayerNorm(width, bias=False)
        self.wide, self.out = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.out(nn.functional.gelu(self.wide(self.norm_2(x))))


class GPT(nn.Module):
    """Windows (B, T) to scores (B, T, symbols). No biases, no dropout; the head's weights are the embedding's."""

    def __init__(self, job, attend=fused_attention):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(job.symbols, job.width), nn.Embedding(job.length, job.width)
        self.blocks = nn.Sequential(*(Block(job.width, job.heads, attend) for _ in range(job.layers)))
        self.norm = nn.LayerNorm(job.width, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:  # what adds to the residual stream starts smaller
                share = math.sqrt(2 * job.layers) if name.endswith("out.weight") else 1
                nn.init.normal_(parameter, std=0.02 / share)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        return nn.functional.linear(self.norm(self.blocks(x)), self.tokens.weight)

    def groups(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the parameters that decay, the matrices, and those that do not."""
        parameters = list(self.parameters())
        return [p for p in parameters if p.dim() == 2], [p for p in parameters if p.dim() != 2]


def learning_rate(job, step: int) -> float:
    """Return the rate of a step: up in a line, then down along a cosine."""
    if step < job.warmup:
        return job.learning_rate * (step + 1) / (job.warmup + 1)
    share = (step - job.warmup) / (job.steps - job.warmup)
    return job.least_rate + (job.learning_rate - job.least_rate) * (1 + math.cos(math.pi * share)) / 2
