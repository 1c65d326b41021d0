"""Shapley values against 100 background rows, as shap advises.

shap takes about a second a row for permutations and several for the kernel, one row after another: it explains ten of
the rows, and its seconds are told for all, by proportion.
"""

from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._explain import data

WORKLOAD = Workload(
    title="Shapley values, 100 rows of one-hot Adult (108 columns), MLP of 64 units, against 100 rows; error to "
    "1,000 pairs of walks; shap on 10 of them, seconds times 10",
    job={"method": "permutation"},
    contenders={
        "ganglion": Contender("explain.ganglion"),
        "shap permutation": Contender(
            "explain.shap", "explainers", settings={"explainer": "permutation", "explained": 10}
        ),
        "shap kernel": Contender("explain.shap", "explainers", settings={"explainer": "kernel", "explained": 10}),
    },
    data=data("rows"),
    targets={"shap permutation": 15.0, "shap kernel": 40.0},
    quality="error",
    lower_is_better=True,
)
