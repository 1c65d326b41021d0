"""The loop that everybody writes in torch, float32."""

import torch

from benchmarks.contenders.lstm.network import CharacterLSTM
from benchmarks.contenders.text import contend_on_text
from benchmarks.contenders.torch_text import batch, loss_of, scores_of


def fit(job, tokens):
    torch.manual_seed(job.seed)
    tokens = torch.from_numpy(tokens)
    network = CharacterLSTM(job)
    optimizer = torch.optim.Adam(network.parameters(), lr=job.learning_rate)
    for _ in range(job.steps):
        X, y = batch(job, tokens)
        optimizer.zero_grad()
        loss_of(network(X), y).backward()
        optimizer.step()
    return scores_of(network)


if __name__ == "__main__":
    contend_on_text(fit, ["torch", "numpy"])
