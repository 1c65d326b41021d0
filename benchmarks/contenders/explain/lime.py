"""lime: LimeTabularExplainer with its defaults; columns of zeros and ones are categories."""

import numpy as np
from lime.lime_tabular import LimeTabularExplainer

from benchmarks.contenders.explain.network import contend_to_explain, function
from benchmarks.contenders.harness import job_of_process

with np.load(job_of_process().data) as file:
    FUNCTION = function(dict(file))


def both(rows):
    second = FUNCTION(rows)
    return np.column_stack([1 - second, second])


def run(job, X, background):
    flags = [j for j in range(X.shape[1]) if np.isin(background[:, j], (0, 1)).all()]
    explainer = LimeTabularExplainer(background, categorical_features=flags, random_state=job.seed)
    return [explainer.explain_instance(row, both, num_features=X.shape[1]) for row in X]


if __name__ == "__main__":
    contend_to_explain(run, lambda found, arrays: {}, ["lime", "numpy"])
