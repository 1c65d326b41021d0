"""What is promised of texts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from ganglion.checks.comparing import answers, close_answers, ensure, fresh, refused, same_bits
from ganglion.checks.data import RARE_TEXT, texts_for
from ganglion.checks.suiting import reads_texts
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput
from ganglion.estimators.base import Estimator


def check_text_containers_agree(estimator: Estimator) -> None:
    """The same texts give the same model, as list, array, series, column of a frame or data set."""
    X, y = texts_for(estimator)
    expected = answers(fresh(estimator).fit(X, y), X)
    dataset = as_dataset(pd.DataFrame({"text": pd.Series(X, dtype=str)}))
    for given in (X.tolist(), tuple(X), pd.Series(X), pd.DataFrame({"text": X}), X.astype(str), dataset):
        same_bits(answers(fresh(estimator).fit(given, y), given), expected)


def check_unseen_words_are_answered(estimator: Estimator) -> None:
    """A text of words never seen is answered, as any other such text of its length."""
    X, y = texts_for(estimator)
    model = fresh(estimator).fit(X, y)
    unseen = answers(model, [RARE_TEXT.replace("-", " ")])
    same_bits(answers(model, ["qwertz 8812"]), unseen)
    ensure(all(len(answer) == 1 for answer in unseen.values()), "not one answer for one text")
    ensure(all(np.isfinite(a).all() for a in unseen.values() if a.dtype.kind == "f"), "what was answered is no number")


def check_empty_texts_are_refused(estimator: Estimator) -> None:
    """An empty text is refused with its row, in training and after; so are no texts, and what is none."""
    X, y = texts_for(estimator)
    for nothing in ("", "  \n", None):
        empty = X.copy()
        empty[3] = nothing
        refused(lambda empty=empty: fresh(estimator).fit(empty, y), InvalidInput, "3")
    model = fresh(estimator).fit(X, y)
    refused(lambda: model.predict(["word", ""]), InvalidInput, "row 1")
    for bad in ([], "one text", [b"bytes", b"more"]):
        refused(lambda bad=bad: model.predict(bad), ValueError)


def check_zero_weight_of_texts(estimator: Estimator) -> None:
    """A text of weight 0 leaves no trace, no word in the vocabulary."""
    X, y = texts_for(estimator)
    weight = np.ones(len(y))
    weight[1::4] = 0
    X[weight == 0] = " ".join([RARE_TEXT] * 5)
    kept = np.flatnonzero(weight)
    weighted, without = fresh(estimator).fit(X, y, sample_weight=weight), fresh(estimator).fit(X[kept], y[kept])
    close_answers(weighted, without, X)
    ensure(weighted.encoder_.to_json() == without.encoder_.to_json(), "texts of weight 0 are in the vocabulary")


def check_model_file_holds_no_single_text(estimator: Estimator) -> None:
    """No word that stands in one text alone can be found in the file."""
    X, y = texts_for(estimator)
    X[7] += f" {RARE_TEXT}"
    model = fresh(estimator).fit(X, y)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.ganglion")
        model.save(path)
        content = path.read_bytes()
    found = [word for word in RARE_TEXT.split("-") if word.encode() in content]
    ensure(not found, f"the model file holds {found}")


CHECKS = (
    (reads_texts, check_text_containers_agree),
    (reads_texts, check_unseen_words_are_answered),
    (reads_texts, check_empty_texts_are_refused),
    (reads_texts, check_zero_weight_of_texts),
    (reads_texts, check_model_file_holds_no_single_text),
)
