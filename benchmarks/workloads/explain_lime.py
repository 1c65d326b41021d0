"""LIME of tables."""

from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._explain import data

WORKLOAD = Workload(
    title="LIME, 100 rows of one-hot Adult (108 columns), MLP of 64 units, 5,000 perturbed rows each",
    job={"method": "lime"},
    contenders={
        "ganglion": Contender("explain.ganglion_lime"),
        "lime": Contender("explain.lime", "explainers"),
    },
    data=data("rows", values=""),
    targets={"lime": 10.0},
    quality=None,
)
