"""The loop that everybody writes in torch, float32; nothing is logged, nothing evaluated on the way."""

import torch
from torch import nn

from benchmarks.contenders.text import contend_on_text
from benchmarks.contenders.torch_text import batch, loss_of, scores_of
from benchmarks.contenders.transformer.network import GPT, learning_rate


def fit(job, tokens):
    torch.manual_seed(job.seed)
    tokens = torch.from_numpy(tokens)
    network = GPT(job)
    decaying, others = network.groups()
    optimizer = torch.optim.AdamW(
        [{"params": decaying, "weight_decay": job.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=job.learning_rate,
        betas=(0.9, job.beta2),
    )
    for step in range(job.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(job, step)
        X, y = batch(job, tokens)
        loss_of(network(X), y).backward()
        nn.utils.clip_grad_norm_(network.parameters(), job.clip)
        optimizer.step()
        optimizer.zero_grad()
    return scores_of(network)


if __name__ == "__main__":
    contend_on_text(fit, ["torch", "numpy"])
