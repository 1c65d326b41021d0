"""Shapley values against one baseline row, the mean of the training rows: what every library can do."""

from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._explain import data

WORKLOAD = Workload(
    title="Shapley values, 100 rows of one-hot Adult (108 columns), MLP of 64 units, against the mean row; error to "
    "1,000 pairs of walks",
    job={"method": "permutation"},
    contenders={
        "ganglion": Contender("explain.ganglion"),
        "shap permutation": Contender("explain.shap", "explainers", settings={"explainer": "permutation"}),
    },
    data=data("mean"),
    targets={"shap permutation": 15.0},
    quality="error",
    lower_is_better=True,
)
