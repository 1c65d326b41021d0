"""The fastest ways found by hand: no library, the whole loop in sight. What a general library can at best come near.

`step` is "float32" (autograd, float32 weights, "medium" products) or "bf16" (gradients by hand, products in bf16,
one flat vector of weights for Adam).
"""

from itertools import pairwise
from math import prod

import torch
from torch import nn

from benchmarks.contenders.by_hand import Adam, batches
from benchmarks.contenders.harness import contend_to_fit, softmax


def fit(job, X, y):
    torch.manual_seed(job.seed)
    torch.set_float32_matmul_precision("medium")
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    widths = [X.shape[1], *job.hidden, int(y.max()) + 1]
    train = {"float32": by_autograd, "bf16": by_hand}[job.step]
    layers = train(job, X, y, widths)

    def probabilities(rows):
        h = torch.from_numpy(rows)
        for i, (weight, bias) in enumerate(layers):
            h = torch.addmm(bias, h, weight.T)
            h = h.relu_() if i < len(layers) - 1 else h
        return softmax(h.numpy())

    return probabilities


def by_autograd(job, X, y, widths):
    shapes = shapes_of(widths)
    parameters = [torch.zeros(shape) for shape in shapes]
    initialise(parameters)
    for parameter in parameters:
        parameter.requires_grad_()
    adam = Adam(parameters, job.learning_rate)
    for rows, labels in batches(job, X, y):
        h = rows
        for weight, bias in pairs(parameters[:-2]):
            h = nn.functional.linear(h, weight, bias).relu_()
        loss = nn.functional.cross_entropy(nn.functional.linear(h, *parameters[-2:]), labels)
        adam.step(torch.autograd.grad(loss, parameters))
    return list(pairs([p.detach() for p in parameters]))


@torch.no_grad()
def by_hand(job, X, y, widths):
    shapes = shapes_of(widths)
    size = sum(prod(shape) for shape in shapes)
    flat, gradient = torch.zeros(size), torch.zeros(size)
    adam = Adam([flat], job.learning_rate)
    initialise(views(flat, shapes))
    low, low_gradient = flat.bfloat16(), torch.zeros(size, dtype=torch.bfloat16)
    layers, gradients = list(pairs(views(low, shapes))), list(pairs(views(low_gradient, shapes)))
    for rows, labels in batches(job, X.bfloat16(), y):
        hidden = [rows]
        for weight, bias in layers[:-1]:
            hidden.append(torch.addmm(bias, hidden[-1], weight.T).relu_())
        scores = torch.addmm(layers[-1][1], hidden[-1], layers[-1][0].T).float()
        delta = scores.softmax(1)
        delta[torch.arange(len(labels)), labels] -= 1
        delta = delta.div_(len(labels)).bfloat16()
        for i in range(len(layers) - 1, -1, -1):
            torch.mm(delta.T, hidden[i], out=gradients[i][0])
            torch.sum(delta, 0, out=gradients[i][1])
            if i:
                delta = torch.ops.aten.threshold_backward(delta @ layers[i][0], hidden[i], 0)
        gradient.copy_(low_gradient)
        adam.step([gradient])
        low.copy_(flat)
    return list(pairs(views(flat, shapes)))


def shapes_of(widths):
    return [shape for n_in, n_out in pairwise(widths) for shape in ((n_out, n_in), (n_out,))]


def initialise(parameters):
    for parameter in parameters:
        if parameter.dim() == 2:
            nn.init.kaiming_normal_(parameter, nonlinearity="relu")


def views(flat, shapes):
    return [part.view(shape) for part, shape in zip(flat.split([prod(s) for s in shapes]), shapes, strict=True)]


def pairs(parameters):
    return zip(parameters[::2], parameters[1::2], strict=True)


if __name__ == "__main__":
    contend_to_fit(fit, ["torch", "numpy"])
