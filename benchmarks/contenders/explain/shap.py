"""shap: KernelExplainer, or its permutation explainer, as its documentation shows them."""

import numpy as np
import shap

from benchmarks.contenders.explain.network import contend_to_explain, error, function
from benchmarks.contenders.harness import job_of_process

with np.load(job_of_process().data) as file:
    FUNCTION = function(dict(file))


def run(job, X, background):
    if job.explainer == "kernel":
        return shap.KernelExplainer(FUNCTION, background).shap_values(X, silent=True)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    most = 10 * (2 * X.shape[1] + 1)
    return shap.PermutationExplainer(FUNCTION, masker, seed=job.seed)(X, max_evals=most, silent=True).values


if __name__ == "__main__":
    np.random.seed(job_of_process().seed)  # noqa: NPY002 - what KernelExplainer draws from
    contend_to_explain(run, error, ["shap", "torch", "numpy"])
