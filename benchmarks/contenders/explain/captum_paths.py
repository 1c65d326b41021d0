"""captum: IntegratedGradients with its defaults, 50 steps of Gauss and Legendre, all rows in one call."""

import torch
from captum.attr import IntegratedGradients

from benchmarks.contenders.explain.network import Network, error
from benchmarks.contenders.harness import contend, job_of_process, np

with np.load(job_of_process().data) as file:
    NETWORK = Network(dict(file))


def run(job, X, background):
    rows, baseline = torch.from_numpy(X), torch.from_numpy(background)
    return IntegratedGradients(NETWORK).attribute(rows, baselines=baseline).detach().numpy()


if __name__ == "__main__":
    contend(run, ["X", "background"], error, ["captum", "torch", "numpy"])
