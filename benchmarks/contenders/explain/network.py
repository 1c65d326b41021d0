"""The network that everybody explains, from its weights: rows → the probability of the second class. And the clock."""

import time
from types import SimpleNamespace

import numpy as np
import torch

from benchmarks.contenders.harness import job_of_process, report


class Network(torch.nn.Module):
    """Linear, ReLU, linear, sigmoid, (n, columns) → (n,)."""

    def __init__(self, arrays):
        super().__init__()
        (hidden, columns), self.layers = arrays["W0"].shape, torch.nn.ModuleList()
        for n_in, n_out, k in ((columns, hidden, 0), (hidden, 1, 1)):
            layer = torch.nn.Linear(n_in, n_out)
            layer.weight.data = torch.from_numpy(arrays[f"W{k}"])
            layer.bias.data = torch.from_numpy(arrays[f"b{k}"])
            self.layers.append(layer)

    def forward(self, rows):
        return self.layers[1](self.layers[0](rows).relu()).sigmoid()[:, 0]


def function(arrays):
    """Return the network as a function of arrays, as fast as it goes."""
    network = Network(arrays)

    def of_rows(rows):
        with torch.inference_mode():
            return network(torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))).numpy()

    return of_rows


def error(values, arrays):
    """Return how far values are from long-run ones: the root of summed squares, as a share of theirs."""
    true = arrays["values"][: len(values)]
    return {"error": float(np.sqrt(((np.asarray(values) - true) ** 2).sum() / (true**2).sum()))}


def contend_to_explain(run, measure, packages):
    """Time `run(job, X, background)`; then `measure(what it returned, all arrays)`.

    A job with `explained` gives that many rows of X alone, to who is slow, one row after another: the seconds said are
    those of all rows, by proportion. It explains one row before the clock, so that what is compiled once counts once.
    """
    job = job_of_process()
    with np.load(job.data) as file:
        arrays = dict(file)
    X = arrays["X"]
    few = X[: getattr(job, "explained", len(X))]
    if len(few) < len(X):
        run(job, X[-1:], arrays["background"])
    wall, cpu = time.perf_counter(), time.process_time()
    found = run(job, few, arrays["background"])
    share = len(X) / len(few)
    clock = SimpleNamespace(
        seconds=(time.perf_counter() - wall) * share, cpu_seconds=(time.process_time() - cpu) * share
    )
    report(clock, {**measure(found, arrays), "explained": len(few)}, packages)
