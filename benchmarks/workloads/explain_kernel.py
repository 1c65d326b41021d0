"""Shapley values against one baseline row, beside regressions on drawn coalitions: at no greater error than theirs.

Two pairs of walks a row are less than Ganglion takes by itself, and still nearer to the long run than 2,264 coalitions.
"""

from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._explain import data

WORKLOAD = Workload(
    title="Shapley values, 100 rows of one-hot Adult (108 columns), MLP of 64 units, against the mean row; ours with "
    "two pairs of walks; error to 1,000 pairs of walks",
    job={"method": "permutation", "n_evaluations": 428},
    contenders={
        "ganglion": Contender("explain.ganglion"),
        "shap kernel": Contender("explain.shap", "explainers", settings={"explainer": "kernel"}),
        "captum kernel": Contender("explain.captum", "explainers"),
    },
    data=data("mean"),
    targets={"shap kernel": 40.0, "captum kernel": 60.0},
    quality="error",
    lower_is_better=True,
)
