"""What leaves gives the same answers: every algorithm that can be exported, on real data, against the original."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.browser import Browser, find_chromium
from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims._paged import PageModel
from benchmarks.claims._works import (
    PAGE_ROWS,
    WORKS,
    Work,
    blood,
    cells,
    mixed,
    pictures,
    spoken,
    transformers,
    words,
    works,
)
from ganglion.deployment.examples import plain
from ganglion.deployment.export import export
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.parity import TOLERANCE, Parity, compare
from ganglion.deployment.web_runtime import find_web_runtime
from ganglion.errors import ExportRefused, GanglionWarning, InvalidFile, MissingExtra
from ganglion.registry import algorithm, all_algorithms

SEED = 0
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


def claim() -> Claim:
    """Train every algorithm that can leave once, small; export it in every form, and compare on held-in rows."""
    try:
        given = works(WORKS)
        others = [(name, load(), options) for name, load, options in OTHERS]
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    unopened = _why_no_page()
    formats = FORMATS if not unopened else (".onnx", ".c")
    rows = [*_rows(given, formats), *other_rows(others, formats[:-1])]
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
        + f" Of pictures of other sizes, {PAGE_ROWS} in each of five, the graph is run by onnxruntime alone."
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
                    yield from _left(name, work, model, Path(folder) / f"model{ending}", browser)


def other_rows(
    others: Iterable[tuple[str, Work, dict[str, Any]]], formats: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    """Give what came of algorithms that answer with more than a class or a number: none of them has C code."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        browser = stack.enter_context(Browser()) if ".html" in formats else None
        for name, work, options in others:
            model = trained(name, work, options)
            for ending in formats:
                yield from _left(name, work, model, Path(folder) / f"model{ending}", browser)


def _left(name: str, work: Work, model: Any, path: Path, browser: Browser | None) -> Iterator[dict[str, Any]]:
    """Give what came of one export, and of a graph that resizes pictures what it says of other sizes."""
    row = _compared(name, work, model, path, browser)
    yield row
    # of two boxes over one another that are equally sure to the last bit either may stay: `export` compares some
    alone = path.suffix == ".onnx" and row["difference"] is not None and model.tags.task != "detection"
    if alone and RawGraph(path).resizes:
        parity = _of_other_sizes(model, work.X[:PAGE_ROWS], path)
        yield row | {
            "format": "onnx, pictures of other sizes",
            **{part: getattr(parity, part) for part in ("difference", "agreement", "rows")},
        }


class RawGraph:
    """A graph as any program runs it: by onnxruntime alone, with pixels as they are."""

    def __init__(self, path: Path) -> None:
        signature = OnnxModel.load(path).signature
        self.resizes = bool(signature.inputs[0].size)
        self._roles = [each.role for each in signature.outputs]
        self._session = onnxruntime.InferenceSession(path)

    def answer(self, X: Any) -> dict[str, np.ndarray]:
        """Return what it says of pictures of one size, (n, height, width, channels)."""
        said = [np.asarray(each) for each in self._session.run(None, {"image": X})]
        return dict(zip(self._roles, said, strict=True))


def _of_other_sizes(model: Any, X: np.ndarray, path: Path) -> Parity:
    """Return how a raw graph answers to parts of pictures, larger ones and narrow ones; Python is given single ones."""
    X = X[..., None] if X.ndim == 3 else X
    middle = X.shape[2] // 2
    others = (X[:, 3:-5], X[:, ::2, 1:], X[:, :, middle : middle + 1], X.repeat(3, 1), X.repeat(5, 1).repeat(6, 2))
    batches = [(f"{each.shape[1]} × {each.shape[2]} pixels", list(each), each) for each in others]
    return compare(model, RawGraph(path), batches)


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
    found = compare(model, page, [(what, some, plain(page.signature, some)) for what, some in _asked(page, X)])
    page.tab.close()
    return found


def _asked(page: PageModel, X: Any) -> list[tuple[str, Any]]:
    """Return what a page is asked: some of the rows, or of a series histories of several lengths."""
    if page.signature.task == "forecasting":
        return [(f"a history of {n} steps", X[:n]) for n in range(PAGE_ROWS, len(X), PAGE_ROWS // 2)]
    some = X.take(np.arange(PAGE_ROWS)) if hasattr(X, "take") and hasattr(X, "features") else X[:PAGE_ROWS]
    return [(f"{len(some)} rows", some)]


# what answers with more than a class or a number: algorithm, data, options
OTHERS: list[tuple[str, Callable[[], Work], dict[str, Any]]] = [
    ("SegmentationCNN", cells, {"channels": 8, "epochs": 4}),
    ("DetectionCNN", blood, {"channels": 8, "depth": 1, "epochs": 10}),
    ("RNNTagger", words, {"width": 32}),
    ("SpeechRecognizer", spoken, {"width": 32, "layers": 1, "epochs": 8}),
    *(
        ("Forecaster", transformers, {"network": network, "horizon": 24, "window": 96, "epochs": "auto", "steps": 50})
        for network in ("linear", "lstm", "gru", "tcn", "patch_transformer")
    ),
    ("Autoencoder", mixed, {}),
    ("Autoencoder", pictures, {"hidden": (64,)}),
    ("Autoencoder", pictures, {"architecture": "convolutional", "channels": 8}),
    ("VAE", mixed, {}),
    ("VAE", pictures, {"hidden": (64,)}),
    ("RBM", pictures, {"units": 64}),
    ("DBN", pictures, {"hidden": (64, 32)}),
]
