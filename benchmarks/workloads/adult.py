"""Adult census, from the raw CSV file to a test accuracy: reading, preprocessing, training, prediction."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workloads import Contender, Workload


def data(_folder: Path) -> dict[str, str]:
    from ganglion.data.public import find

    return {"train": str(find("adult/adult.data")), "test": str(find("adult/adult.test"))}


WORKLOAD = Workload(
    title="Adult, raw CSV → network → test accuracy (32,561 rows, 14 columns), each library in its own way",
    job={},
    contenders={
        "ganglion": Contender("adult.ganglion"),
        "scikit-learn": Contender("adult.scikit_learn"),
        "skorch": Contender("adult.skorch", "skorch"),
        "autogluon": Contender("adult.autogluon", "autogluon"),
        "ludwig": Contender("adult.ludwig", "ludwig"),
        "pytorch-tabular": Contender("adult.pytorch_tabular", "pytorch-tabular"),
    },
    data=data,
    targets={"scikit-learn": 1.0, "skorch": 2.0, "autogluon": 4.0, "ludwig": 9.0, "pytorch-tabular": 9.0},
)
