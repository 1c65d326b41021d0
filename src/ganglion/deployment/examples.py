"""Rows on which an exported model is compared with the original: ordinary ones, several lengths, and the edges.

They are drawn from what the model knows of its training data (where numbers lay, which categories and tokens there
were), so that none of the data are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np
import torch

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset, Field, Kind
from ganglion.data.ragged import Ragged, joined
from ganglion.data.vocabulary import SPECIAL
from ganglion.deployment.describing import spread_of
from ganglion.deployment.kind import Single
from ganglion.deployment.rows import feeds_of
from ganglion.deployment.signature import Input, Signature
from ganglion.estimators.base import Estimator

BATCHES = (1, 2, 33)  # rows
LENGTHS = (1, 7, 40)  # steps of the longest text or sequence, or of SECOND that a recording has
SECOND = 40
SEED = 0
UNSEEN = "a value that training never saw"
FAR = (1e3, 1e6, 1e12)  # deviations from the mean
MISSING = 0.1  # share of the values


def examples(model: Estimator, signature: Signature) -> Iterator[tuple[str, Any, Any]]:
    """Give batches of rows: what each is, for messages, its rows as the model takes them, and as an export does.

    Parameters
    ----------
    model : Estimator
    signature : Signature
    """
    rng = np.random.default_rng(SEED)
    makers = {"table": _tables, "image": _images, "text": _texts, "sequence": _sequences}
    makers |= {"series": _windows, "audio": _recordings}
    words = signature.inputs[0].kind == "words"
    for what, X in (_word_lists if words else makers[signature.modality])(model, signature, rng):
        yield what, _as_trained(signature, X), X


def plain(signature: Signature, X: Any) -> Any:
    """Return rows that a user gave to the model as an export takes them: a data set as its columns."""
    if not isinstance(X, Dataset):
        return X
    if signature.modality == "audio":
        name = next(field.name for field in X.features if field.kind == "audio")
        rate = next(field.rate for field in X.features if field.kind == "audio")
        return [(rate, each.numpy()) for each in cast(Ragged, X.columns[name]).split()]
    if signature.modality in ("image", "sequence"):
        return X.values(X.features[0].name)
    if signature.inputs[0].kind == "words":
        column = signature.columns[0]
        return X.values(column if column in X.names else X.features[0].name)
    return {field.name: X.values(field.name) for field in X.features}


def _tables(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    for n in BATCHES:
        yield (
            f"{n} ordinary row(s)",
            {each.name: _ordinary(each, n, rng, *_spread(model, signature, each)) for each in signature.inputs},
        )
    yield "rows with nothing in them", {each.name: _missing(each) for each in signature.inputs}
    for name, far in (("zeros", 0.0), *((f"numbers {far:g} deviations away", far) for far in FAR)):
        yield name, {each.name: _far(each, far, *_spread(model, signature, each)) for each in signature.inputs}
    if any(each.categories for each in signature.inputs):
        n = min(256, max(len(each.categories) for each in signature.inputs) + 2)
        yield (
            "every category, one never seen, and none",
            {each.name: _every(each, n, *_spread(model, signature, each)) for each in signature.inputs},
        )


def _spread(model: Estimator, signature: Signature, each: Input) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of the numbers of an input, (width,) each; 0 and 1 where the model knows none."""
    width = int(each.shape[1])
    found = spread_of(model)
    if each.typical:
        low, high = each.typical
        return np.array([(low + high) / 2]), np.array([(high - low) / 4])
    if found is None or each.kind != "numbers" or len(signature.inputs) > 1:
        return np.zeros(width), np.ones(width)
    return found[0].numpy(), found[1].numpy()


def _ordinary(each: Input, n: int, rng: np.random.Generator, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    gone = rng.random((n, int(each.shape[1]))) < MISSING
    if each.kind == "categorical":
        known = np.array([*each.categories, UNSEEN], dtype=object)
        chosen = rng.choice(known, n)
        chosen[gone[:, 0]] = None
        return chosen
    values = mean + deviation * rng.normal(size=gone.shape)
    if each.kind == "boolean":
        values = rng.integers(0, 2, gone.shape).astype(np.float64)
    return np.where(gone, np.nan, values)


def _missing(each: Input) -> np.ndarray:
    if each.kind == "categorical":
        return np.array([None, "", "?"], dtype=object)
    return np.full((3, int(each.shape[1])), np.nan)


def _far(each: Input, far: float, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    if each.kind == "categorical":
        return np.array([UNSEEN, " "], dtype=object)
    if each.kind == "boolean":
        return np.array([[0.0], [1.0]])
    if far == 0:
        return np.zeros((2, len(mean)))
    return np.stack([mean + far * deviation, mean - far * deviation])


def _every(each: Input, n: int, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    if each.kind != "categorical":
        return np.repeat(mean[None], n, 0) if each.kind != "boolean" else np.ones((n, 1))
    values = np.array([*each.categories[: n - 2], UNSEEN, None], dtype=object)
    return np.resize(values, n)


def _images(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    (each,) = signature.inputs
    for place, sides in enumerate(_sizes(model, each)):
        shape, size = (*sides, int(each.shape[3])), f" of {sides[0]} × {sides[1]} pixels" if place else ""
        resized = bool(place and each.size)  # it is the size that makes a difference, not how many there are
        for n in BATCHES[1:2] if resized else BATCHES[:2] if place else BATCHES:
            yield f"{n} noisy image(s){size}", _noise(model, each, (n, *shape), rng)
        if resized:
            continue
        if signature.task == "detection":  # where all is even all boxes are equally sure, and none comes first
            shades = np.linspace(0, 1, shape[0] * shape[1]).reshape(*shape[:2], 1)
            yield f"shaded images{size}", (_even(model, each, shape)[:, :, :] * shades).astype(each.dtype)
            continue
        yield f"even images{size}", _even(model, each, shape)


def _sizes(model: Estimator, each: Input) -> list[tuple[int, int]]:
    """Return the sizes of pictures to be compared: that of training, and whatever others there may be."""
    _, height, width = model.encoder_.spec.image
    if isinstance(each.shape[1], int):
        return [(height, width)]
    if each.size:  # one is so large along each side that blocks are averaged first
        smaller = max(1, height // 2), max(1, width // 3)
        return [(height, width), smaller, (4 * height + 3, width + 1), (height, 4 * width + 2), (height + 1, 1)]
    return [(height, width), (height + 3, 2 * width - 1), (max(6, height // 2), max(5, width // 3))]


def _noise(model: Estimator, each: Input, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if each.dtype == "uint8":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.normal(*_shades(model), shape).astype(np.float32)


def _even(model: Estimator, each: Input, shape: tuple[int, ...]) -> np.ndarray:
    mean, deviation = _shades(model)
    values = (0, 255) if each.dtype == "uint8" else (0, 1, mean, mean + 4 * deviation, mean - 4 * deviation)
    return np.stack([np.full(shape, value, dtype=each.dtype) for value in values])


def _shades(model: Estimator) -> tuple[float, float]:
    """Return mean and deviation of the pixels of training; of those between 0 and 1 where the model knows none."""
    center, factor = (getattr(model.network_.input, name, None) for name in ("center", "factor"))
    if center is None or factor is None:
        return 0.5, 0.5
    return float(center.mean()), 1 / max(float(factor.mean()), 1e-6)


def _texts(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    known = [token.removeprefix("##") for token in signature.tokenizer["vocabulary"][len(SPECIAL) :]]
    between = " " if signature.tokenizer["tokenizer"] in ("words", "wordpiece") else ""
    for n in BATCHES:
        for most in LENGTHS:
            lengths = rng.integers(1, min(most, signature.longest or most) + 1, n)
            yield (
                f"{n} text(s) of at most {most} tokens",
                _in_columns(signature, [_readable(between.join(rng.choice(known, length))) for length in lengths]),
            )
    yield "texts of words never seen", _in_columns(signature, ["@", "zzzzqqq", "ÿ ÿ ÿ", "a\nb"])


def _in_columns(signature: Signature, texts: list[str]) -> Any:
    """Return texts as they are, or in as many columns as training had: each in one of them."""
    n = len(signature.columns)
    if n == 1:
        return texts
    return {
        name: [text if i % n == j else "" for i, text in enumerate(texts)] for j, name in enumerate(signature.columns)
    }


def _readable(text: str) -> str:
    """Return a text that is one: of blanks alone no token would be left, and byte pairs may be no letters."""
    return text if text.strip() else "a"


def _word_lists(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    known = [*signature.tokenizer["vocabularies"][0], "Never-Seen", "1984", "ÿ"]
    for n in BATCHES:
        for most in LENGTHS:
            yield (
                f"{n} text(s) of at most {most} words",
                [rng.choice(known, length).tolist() for length in rng.integers(1, most + 1, n)],
            )


def _windows(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    series = cast(Any, model.network_.input)
    center, factor = series.center.numpy(), series.factor.numpy()
    deviation = np.divide(1, factor, out=np.zeros_like(factor), where=factor > 0)
    n_ahead = sum(int(each.shape[2]) for each in signature.inputs if each.kind == "ahead")

    def made(values: Callable[[tuple[int, ...]], np.ndarray], n: int) -> dict[str, np.ndarray]:
        columns = {each.name: values((n, int(each.shape[1]), len(center))) for each in signature.inputs}
        return {name: part if name == "history" else part[:, :, -n_ahead:] for name, part in columns.items()}

    def ordinary(shape: tuple[int, ...]) -> np.ndarray:
        values = center + deviation * rng.normal(size=shape)
        return np.where(rng.random(shape) < MISSING, np.nan, values)

    for n in BATCHES:
        yield f"{n} ordinary window(s)", made(ordinary, n)
    yield "windows with nothing in them", made(lambda shape: np.full(shape, np.nan), 2)
    for far in (0.0, *FAR[:2]):
        yield f"even windows {far:g} deviations away", made(lambda shape: np.zeros(shape) + center + far * deviation, 2)  # noqa: B023


def _sequences(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    width = int(signature.inputs[0].shape[2])
    entry = cast(Any, model.network_.input)
    center, factor = entry.center.numpy(), entry.factor.numpy()
    deviation = np.divide(1, factor, out=np.zeros_like(factor), where=factor > 0)
    for n in BATCHES:
        for most in LENGTHS:
            lengths = rng.integers(1, min(most, signature.longest or most) + 1, n)
            yield (
                f"{n} sequence(s) of at most {most} steps",
                [center + deviation * rng.normal(size=(length, width)) for length in lengths],
            )
    yield "a sequence with nothing in it", [np.full((3, width), np.nan)]
    for far in FAR[:2]:
        yield f"steps {far:g} deviations away", [center + far * deviation * np.ones((4, width))]


def _recordings(model: Estimator, signature: Signature, rng: np.random.Generator) -> Iterator[tuple[str, Any]]:
    rate = signature.inputs[0].rate
    for n in BATCHES:
        for most in LENGTHS:
            lengths = rng.integers(1, most * rate // SECOND + 1, n)
            yield (
                f"{n} noisy recording(s) of at most {most / SECOND:g} seconds",
                [(rate, (rng.uniform(0, 0.3) * rng.normal(size=length)).astype(np.float32)) for length in lengths],
            )
    time = np.arange(rate // 2) / rate
    tones = [np.sin(2 * np.pi * share * rate / 2 * time) for share in (0.01, 0.1, 0.5)]
    click = np.zeros(rate // 2)
    click[-1] = 1.0
    yield "tones", [(rate, tone.astype(np.float32)) for tone in tones]
    yield "a tone at its loudest", [(rate, np.where(tones[1] > 0, 1.0, -1.0).astype(np.float32))]
    yield (
        "a click, silence, and one sample",
        [(rate, each.astype(np.float32)) for each in (click, np.zeros(rate // 2), np.ones(1))],
    )


def _as_trained(signature: Signature, X: Any) -> Any:
    """Return rows as the estimator's `predict` takes them: a table's columns as a data set of the kinds of training."""
    if signature.modality == "audio":  # a data set, for it is no news that some of these are silent
        parts = [torch.from_numpy(samples) for _, samples in X]
        return Dataset([Field("audio", "audio", rate=signature.inputs[0].rate)], {"audio": joined(parts)})
    if signature.modality == "text" and isinstance(X, dict):
        columns = {name: as_dataset(texts).columns["text"] for name, texts in X.items()}
        return Dataset([Field(name, "text") for name in columns], columns)
    if signature.inputs[0].size and X.shape[1:3] != signature.inputs[0].size:
        return Single(X)
    if signature.modality != "table":
        return X
    first = signature.inputs[0]
    return X[first.name] if first.kind == "numbers" and len(signature.inputs) == 1 else _dataset(signature, X)


def _dataset(signature: Signature, columns: dict[str, np.ndarray]) -> Dataset:
    given = feeds_of(signature, columns)
    pairs = [_field(each, given[each.name]) for each in signature.inputs]
    return Dataset([field for field, _ in pairs], {field.name: column for field, column in pairs})


def _field(each: Input, values: np.ndarray) -> tuple[Field, torch.Tensor]:
    if each.kind == "categorical":
        labels = sorted({label for label in values[:, 0] if label})
        codes = {label: code for code, label in enumerate(labels)}
        column = torch.tensor([codes.get(label, -1) for label in values[:, 0]])
        return Field(each.name, "categorical", categories=tuple(labels)), column
    if each.kind == "numbers":
        return Field(each.name, "numeric", (values.shape[1],)), torch.from_numpy(values)
    return Field(each.name, cast(Kind, each.kind)), torch.from_numpy(values[:, 0])
