"""captum: KernelShap against one baseline, with as many samples as shap's own default."""

import numpy as np
import torch
from captum.attr import KernelShap

from benchmarks.contenders.explain.network import Network, contend_to_explain, error
from benchmarks.contenders.harness import job_of_process

with np.load(job_of_process().data) as file:
    NETWORK = Network(dict(file))


def run(job, X, background):
    torch.manual_seed(job.seed)
    rows, baseline = torch.from_numpy(X), torch.from_numpy(background)
    samples = 2048 + 2 * X.shape[1]
    with torch.no_grad():
        return KernelShap(NETWORK).attribute(rows, baselines=baseline, n_samples=samples).numpy()


if __name__ == "__main__":
    contend_to_explain(run, error, ["captum", "torch", "numpy"])
