"""The fastest way found by hand: bf16."""

import torch

from benchmarks.contenders.by_hand import Adam
from benchmarks.contenders.lstm.network import CharacterLSTM
from benchmarks.contenders.text import contend_on_text
from benchmarks.contenders.torch_text import gathered_batch, loss_of, scores_of


def fit(job, tokens):
    torch.manual_seed(job.seed)
    torch.set_float32_matmul_precision("medium")
    tokens = torch.from_numpy(tokens)
    network = CharacterLSTM(job)
    parameters = list(network.parameters())
    adam = Adam(parameters, job.learning_rate)
    for _ in range(job.steps):
        X, y = gathered_batch(job, tokens)
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(X)
        adam.step(torch.autograd.grad(loss_of(scores.float(), y), parameters))
    return scores_of(network)


if __name__ == "__main__":
    contend_on_text(fit, ["torch", "numpy"])
