"""What leaves gives the same answers: every algorithm that can be exported, on real data, against the original."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from ganglion.data.public import find
from ganglion.data.read import read, with_target
from ganglion.deployment.export import export
from ganglion.deployment.parity import TOLERANCE
from ganglion.errors import ExportRefused, GanglionWarning, InvalidFile
from ganglion.registry import algorithm, all_algorithms

SEED, ROWS = 0, 1_000
FORMATS = (".onnx", ".c")
TASKS = ("classification", "regression")
SMALL: dict[str, Any] = {"epochs": 2, "random_state": SEED, "threads": 1}
SMALLER: dict[str, dict[str, Any]] = {
    "CNNClassifier": {"channels": (8, 16)},
    "CNNRegressor": {"channels": (8, 16)},
    "DBNClassifier": {"hidden": (32,), "pretraining_epochs": 1},
    "Perceptron": {"epochs": 5},
    "RNNClassifier": {"width": 32},
    "RNNRegressor": {"width": 16},
    "TransformerClassifier": {"width": 32, "layers": 1},
    "TransformerRegressor": {"width": 16, "layers": 1},
    "VisionTransformer": {"width": 32, "layers": 2},
}


class Work(NamedTuple):
    """Data that an algorithm learns from: what they are called, features, target."""

    data: str
    X: Any
    y: np.ndarray


def claim() -> Claim:
    """Train every algorithm that answers rows once, small; export it in every form, and compare on held-in rows."""
    try:
        works = {name: load() for name, load in _WORKS.items()}
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    rows = list(_rows(works))
    held = [row for row in rows if row["difference"] is not None]
    worst = max(row["difference"] for row in held)
    least = min(row["agreement"] for row in held)
    refused = [row for row in rows if row["difference"] is None]
    return Claim(
        name="export_parity",
        data=", ".join(f"{work.data}, {len(work.y):,} rows" for work in works.values()) + ".",
        settings=f"Each algorithm trained for {SMALL['epochs']} epochs, then exported; compared on these rows and on "
        "those that `export` makes (missing, unseen, extreme; three batch sizes and lengths). Differences of "
        "probabilities as they are, of numbers in deviations of the target."
        + "".join(f" {row['algorithm']} on {row['data']} as {row['format']}: {row['why']}" for row in refused),
        reference="fp32 within 1e-5 and equal labels, else refused",
        figures=[
            Figure("largest difference", worst, worst, worst, target=TOLERANCE, lower_is_better=True),
            Figure("least agreement of labels", least, least, least, target=0.999),
            *(
                Figure(
                    f"{row['algorithm']}, {row['data']}, {row['format']}: {row['agreement']:.2%} equal, difference",
                    *[row["difference"]] * 3,
                    target=TOLERANCE,
                    lower_is_better=True,
                )
                for row in held
            ),
        ],
        details={"rows": rows},
    )


def _rows(works: dict[str, Work]) -> Iterator[dict[str, Any]]:
    """Give what came of every algorithm, data set and format."""
    with tempfile.TemporaryDirectory() as folder:
        for name, cls in all_algorithms().items():
            if cls.tags.task not in TASKS:
                continue
            for kind in _kinds(cls):
                work = works[kind]
                model = trained(name, work)
                for ending in FORMATS:
                    if ending == ".c" and kind not in ("table", "numbers", "image", "ink"):
                        continue
                    yield _compared(name, work, model, Path(folder) / f"model{ending}")


def _kinds(cls: Any) -> list[str]:
    """Return the data sets that an algorithm is trained on: one of each modality that leaves."""
    numbers = cls.tags.task == "regression"
    kinds = {"table": "numbers" if numbers else "table", "image": "ink" if numbers else "image"}
    kinds |= {} if numbers else {"text": "text"}
    return [kinds[each] for each in cls.tags.modalities if each in kinds]


def trained(name: str, work: Work) -> Any:
    """Return a small model of an algorithm, trained for a moment."""
    cls = algorithm(name)
    wanted = SMALL | SMALLER.get(name, {})
    known = cls.__dataclass_fields__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)
        return cls(**{option: value for option, value in wanted.items() if option in known}).fit(work.X, work.y)


def _compared(name: str, work: Work, model: Any, path: Path) -> dict[str, Any]:
    row = {"algorithm": name, "data": work.data, "format": path.suffix[1:]}
    try:
        parity = export(model, path, rows=work.X).parity
    except ExportRefused as refusal:
        return row | {"difference": None, "agreement": None, "why": str(refusal)}
    return row | {"difference": parity.difference, "agreement": parity.agreement, "rows": parity.rows, "why": ""}


def _table() -> Work:
    data = read(find("titanic/titanic.csv")).drop(["PassengerId", "Name", "Ticket"])
    return Work("Titanic", *with_target(data, "Survived").X_y())


def _numbers() -> Work:
    data = read(find("wine_quality/winequality-red.csv"))
    return Work("red wine", *with_target(data.take(np.arange(ROWS)), "-1").X_y())


def _image() -> Work:
    from benchmarks.public import mnist

    X, y, *_ = mnist()
    return Work("MNIST", X[:ROWS], y[:ROWS])


def _ink() -> Work:
    digits = _image()
    return Work("ink of MNIST", digits.X, digits.X.reshape(len(digits.X), -1).mean(1))


def _text() -> Work:
    from benchmarks.public import trec

    texts, labels = trec("train")
    return Work("TREC", texts[:ROWS], labels[:ROWS])


_WORKS: dict[str, Callable[[], Work]] = {
    "table": _table,
    "numbers": _numbers,
    "image": _image,
    "ink": _ink,
    "text": _text,
}
