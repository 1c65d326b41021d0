"""Real data of every kind that models which leave are trained on: enough for a moment's training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ganglion.data.public import find
from ganglion.data.read import read, with_target

ROWS = 1_000
PAGE_ROWS = 200  # that a page is asked


class Work(NamedTuple):
    """Data that an algorithm learns from: what they are called, features, target."""

    data: str
    X: Any
    y: Any


def table() -> Work:
    data = read(find("titanic/titanic.csv")).drop(["PassengerId", "Name", "Ticket"])
    return Work("Titanic", *with_target(data, "Survived").X_y())


def numbers() -> Work:
    data = read(find("wine_quality/winequality-red.csv"))
    return Work("red wine", *with_target(data.take(np.arange(ROWS)), "-1").X_y())


def image() -> Work:
    from benchmarks.public import mnist

    X, y, *_ = mnist()
    return Work("MNIST", X[:ROWS], y[:ROWS])


def ink() -> Work:
    digits = image()
    return Work("ink of MNIST", digits.X, digits.X.reshape(len(digits.X), -1).mean(1))


def text() -> Work:
    from benchmarks.public import trec

    texts, labels = trec("train")
    return Work("TREC", texts[:ROWS], labels[:ROWS])


def sequence() -> Work:
    from benchmarks.public import sonar

    X, y = sonar()
    return Work("sonar", list(X[..., None]), y)


def audio() -> Work:
    from benchmarks.public import fsdd

    recordings, digits, *_ = fsdd()
    return Work("FSDD", recordings[: 2 * PAGE_ROWS], digits[: 2 * PAGE_ROWS])


def oil() -> Work:
    """Two days of a transformer's load and oil temperature: what is the temperature an hour later?"""
    from benchmarks.public import etth1

    values, hours = etth1()[0][: ROWS + 48], 48
    return Work("ETTh1", [values[i : i + hours] for i in range(ROWS)], values[hours:, -1])


def cells() -> Work:
    from benchmarks.public import isbi2012_membrane

    images, labels = isbi2012_membrane()
    return Work("membranes of ISBI 2012", images[:4, :128, :160], labels[:4, :128, :160])


def blood() -> Work:
    from benchmarks.public import bccd

    X, y = bccd("train", size=(96, 128))
    return Work("BCCD", X[:60], np.array([*y[:60], None], dtype=object)[:-1])


def words() -> Work:
    data = read(find("brown/brown.zip"))
    some = data.take(np.arange(400))
    return Work("Brown", *some.X_y())


def mixed() -> Work:
    return Work("Titanic without target", table().X, None)


def pictures() -> Work:
    return Work("MNIST without labels", image().X, None)


def transformers() -> Work:
    from benchmarks.public import etth1

    return Work("ETTh1", etth1()[0][:2000], None)


def spoken() -> Work:
    """Recordings of single digits, and the word that is said."""
    from benchmarks.public import DIGITS

    said = audio()
    return Work("FSDD in words", said.X, np.array([DIGITS[digit] for digit in said.y]))


def temperatures() -> Work:
    """Nine months of the oil temperature of a transformer, without times."""
    return Work("oil temperature of ETTh1", transformers().X[:, -1], None)


def loudness() -> Work:
    """How many decibels below the loudest that there can be is a recording on average?"""
    said = audio()
    levels = [10 * np.log10(np.square(samples / 2**15).mean()) for _, samples in said.X]
    return Work("loudness of FSDD", said.X, np.array(levels))


WORKS: dict[str, Callable[[], Work]] = {
    "table": table,
    "numbers": numbers,
    "image": image,
    "ink": ink,
    "text": text,
    "sequence": sequence,
    "audio": audio,
    "oil": oil,
    "loudness": loudness,
}


def works(kinds: Iterable[str]) -> dict[str, Work]:
    """Return real data of some kinds; raises InvalidFile where they are not on this machine."""
    return {kind: WORKS[kind]() for kind in kinds}
