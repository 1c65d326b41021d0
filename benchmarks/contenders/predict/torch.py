"""A plain torch network in inference mode, in the precision that the job names."""

import torch
from torch import nn

from benchmarks.contenders.harness import contend_to_predict
from benchmarks.contenders.torch_mlp import mlp


def prepare(job, arrays):
    network = mlp([784, *job.hidden, 10])
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    for i, layer in enumerate(linear):
        layer.weight.data.copy_(torch.from_numpy(arrays[f"W{i}"].T))
        layer.bias.data.copy_(torch.from_numpy(arrays[f"b{i}"]))

    dtype = getattr(torch, job.precision)
    network.to(dtype)

    def call(rows):
        with torch.inference_mode():
            return network(torch.from_numpy(rows).to(dtype)).float().softmax(1).numpy()

    return call


if __name__ == "__main__":
    contend_to_predict(prepare, ["torch", "numpy"])
