"""What leaves gives the same answers: every algorithm that can be exported, on real data, against the original."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.browser import Browser, find_chromium
from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims._paged import PageModel
from ganglion.data.public import find
from ganglion.data.read import read, with_target
from ganglion.deployment.examples import plain
from ganglion.deployment.export import export
from ganglion.deployment.parity import TOLERANCE, Parity, compare
from ganglion.deployment.web_runtime import find_web_runtime
from ganglion.errors import ExportRefused, GanglionWarning, InvalidFile, MissingExtra
from ganglion.registry import algorithm, all_algorithms

SEED, ROWS = 0, 1_000
PAGE_ROWS = 200  # that a page is asked
FORMATS = (".onnx", ".html", ".c")
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
    y: Any


def claim() -> Claim:
    """Train every algorithm that can leave once, small; export it in every form, and compare on held-in rows."""
    try:
        given = works(_WORKS)
        others = [(name, load(), options) for name, load, options in OTHERS]
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    unopened = _why_no_page()
    rows = [*_rows(given, FORMATS if not unopened else (".onnx", ".c")), *other_rows(others)]
    held = [row for row in rows if row["difference"] is not None]
    worst = max(row["difference"] for row in held)
    least = min(row["agreement"] for row in held)
    refused = [row for row in rows if row["difference"] is None]
    return Claim(
        name="export_parity",
        data=", ".join(
            f"{work.data}, {len(work.X):,} rows" for work in (*given.values(), *(work for _, work, _ in others))
        )
        + ".",
        settings=f"Each algorithm trained for {SMALL['epochs']} epochs, then exported; compared on these rows and on "
        f"those that `export` makes (missing, unseen, extreme; three batch sizes and lengths). "
        + (unopened or f"Pages were asked {PAGE_ROWS} of these rows in Chromium.")
        + " Differences of probabilities as they are, of numbers in deviations of the target."
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


def works(kinds: Iterable[str]) -> dict[str, Work]:
    """Return real data of some kinds; raises InvalidFile where they are not on this machine."""
    return {kind: _WORKS[kind]() for kind in kinds}


def _why_no_page() -> str:
    """Return why no page can be opened here, or "" if one can."""
    try:
        find_web_runtime()
    except MissingExtra as error:
        return f"No page was opened: {error}"
    return "" if find_chromium() else "No page was opened: Chromium is not here."


def _rows(works: dict[str, Work], formats: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Give what came of every algorithm, data set and format."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        browser = stack.enter_context(Browser()) if ".html" in formats else None
        for name, cls in all_algorithms().items():
            if cls.tags.task not in TASKS:
                continue
            for kind in _kinds(cls):
                work = works[kind]
                model = trained(name, work)
                for ending in formats:
                    if ending == ".c" and kind not in ("table", "numbers", "image", "ink"):
                        continue
                    yield _compared(name, work, model, Path(folder) / f"model{ending}", browser)


def other_rows(others: Iterable[tuple[str, Work, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Give what came of algorithms that answer with more than a class or a number: they leave as ONNX alone."""
    with tempfile.TemporaryDirectory() as folder:
        for name, work, options in others:
            yield _compared(name, work, trained(name, work, options), Path(folder) / "model.onnx")


def _kinds(cls: Any) -> list[str]:
    """Return the data sets that an algorithm is trained on: one of each modality that leaves."""
    numbers = cls.tags.task == "regression"
    kinds = {"table": "numbers", "image": "ink", "sequence": "oil", "audio": "loudness"}
    if not numbers:
        kinds = {"table": "table", "image": "image", "text": "text", "sequence": "sequence", "audio": "audio"}
    return [kinds[each] for each in cls.tags.modalities if each in kinds]


def trained(name: str, work: Work, options: Mapping[str, Any] | None = None) -> Any:
    """Return a small model of an algorithm, trained for a moment."""
    cls = algorithm(name)
    wanted = SMALL | SMALLER.get(name, {}) | dict(options or {})
    known = cls.__dataclass_fields__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)
        return cls(**{option: value for option, value in wanted.items() if option in known}).fit(work.X, work.y)


def _compared(name: str, work: Work, model: Any, path: Path, browser: Browser | None = None) -> dict[str, Any]:
    kind = {"forecasting": f" {model.network}" if hasattr(model, "network") else ""}.get(model.tags.task, "")
    row = {"algorithm": name + kind, "data": work.data, "format": path.suffix[1:]}
    try:
        parity = export(model, path, rows=work.X).parity
        if browser and path.suffix == ".html":
            parity = _in_browser(model, work.X, path, browser)
    except ExportRefused as refusal:
        return row | {"difference": None, "agreement": None, "why": str(refusal)}
    return row | {"difference": parity.difference, "agreement": parity.agreement, "rows": parity.rows, "why": ""}


def _in_browser(model: Any, X: Any, path: Path, browser: Browser) -> Parity:
    """Return how a page's answers to some rows compare with the model's."""
    page = PageModel(browser, path)
    some = X.take(np.arange(PAGE_ROWS)) if hasattr(X, "take") and hasattr(X, "features") else X[:PAGE_ROWS]
    found = compare(model, page, [(f"{PAGE_ROWS} rows", some, plain(page.signature, some))])
    page.tab.close()
    return found


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


def _sequence() -> Work:
    from benchmarks.public import sonar

    X, y = sonar()
    return Work("sonar", list(X[..., None]), y)


def _audio() -> Work:
    from benchmarks.public import fsdd

    recordings, digits, *_ = fsdd()
    return Work("FSDD", recordings[: 2 * PAGE_ROWS], digits[: 2 * PAGE_ROWS])


def _oil() -> Work:
    """Two days of a transformer's load and oil temperature: what is the temperature an hour later?"""
    from benchmarks.public import etth1

    values, hours = etth1()[0][: ROWS + 48], 48
    return Work("ETTh1", [values[i : i + hours] for i in range(ROWS)], values[hours:, -1])


def _cells() -> Work:
    from benchmarks.public import isbi2012_membrane

    images, labels = isbi2012_membrane()
    return Work("membranes of ISBI 2012", images[:4, :128, :160], labels[:4, :128, :160])


def _blood() -> Work:
    from benchmarks.public import bccd

    X, y = bccd("train", size=(96, 128))
    return Work("BCCD", X[:60], np.array([*y[:60], None], dtype=object)[:-1])


def _words() -> Work:
    data = read(find("brown/brown.zip"))
    some = data.take(np.arange(400))
    return Work("Brown", *some.X_y())


def _mixed() -> Work:
    return Work("Titanic without target", _table().X, None)


def _pictures() -> Work:
    return Work("MNIST without labels", _image().X, None)


def _transformers() -> Work:
    from benchmarks.public import etth1

    return Work("ETTh1", etth1()[0][:2000], None)


# what answers with more than a class or a number: algorithm, data, options
OTHERS: list[tuple[str, Callable[[], Work], dict[str, Any]]] = [
    ("SegmentationCNN", _cells, {"channels": 8, "epochs": 4}),
    ("DetectionCNN", _blood, {"channels": 8, "depth": 1, "epochs": 10}),
    ("RNNTagger", _words, {"width": 32}),
    *(
        ("Forecaster", _transformers, {"network": network, "horizon": 24, "window": 96, "epochs": "auto", "steps": 50})
        for network in ("linear", "lstm", "gru", "tcn", "patch_transformer")
    ),
    ("Autoencoder", _mixed, {}),
    ("Autoencoder", _pictures, {"hidden": (64,)}),
    ("Autoencoder", _pictures, {"architecture": "convolutional", "channels": 8}),
    ("VAE", _mixed, {}),
    ("VAE", _pictures, {"hidden": (64,)}),
    ("RBM", _pictures, {"units": 64}),
    ("DBN", _pictures, {"hidden": (64, 32)}),
]


def _loudness() -> Work:
    """How many decibels below the loudest that there can be is a recording on average?"""
    said = _audio()
    levels = [10 * np.log10(np.square(samples / 2**15).mean()) for _, samples in said.X]
    return Work("loudness of FSDD", said.X, np.array(levels))


_WORKS: dict[str, Callable[[], Work]] = {
    "table": _table,
    "numbers": _numbers,
    "image": _image,
    "ink": _ink,
    "text": _text,
    "sequence": _sequence,
    "audio": _audio,
    "oil": _oil,
    "loudness": _loudness,
}
