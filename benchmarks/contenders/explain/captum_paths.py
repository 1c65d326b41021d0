"""captum: IntegratedGradients with its defaults, 50 steps of Gauss and Legendre, all rows in one call."""

import numpy as np
import torch
from captum.attr import IntegratedGradients

from benchmarks.contenders.explain.network import Network, contend_to_explain, error
from benchmarks.contenders.harness import job_of_process

with np.load(job_of_process().data) as file:
    NETWORK = Network(dict(file))


def run(job, X, background):
    rows, baseline = torch.from_numpy(X), torch.from_numpy(background)
    return IntegratedGradients(NETWORK).attribute(rows, baselines=baseline).detach().numpy()


if __name__ == "__main__":
    contend_to_explain(run, error, ["captum", "torch", "numpy"])
