"""Integrated gradients from one baseline row, the mean of the training rows."""

from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._explain import data

WORKLOAD = Workload(
    title="Integrated gradients, 100 rows of one-hot Adult (108 columns), MLP of 64 units, from the mean row; error to "
    "4,096 steps",
    job={"method": "integrated_gradients"},
    contenders={
        "ganglion": Contender("explain.ganglion"),
        "captum": Contender("explain.captum_paths", "explainers"),
    },
    data=data("mean", values="paths"),
    targets={"captum": 1.2},
    quality="error",
    lower_is_better=True,
)
