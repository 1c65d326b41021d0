"""An exported page as a model: what it is asked goes through the browser, as what a user gives it does."""

from __future__ import annotations

import csv
import functools
import io
import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.browser import Browser
from ganglion.deployment.forms import columns_of
from ganglion.deployment.rows import is_missing
from ganglion.deployment.said import arranged
from ganglion.deployment.signature import Signature

_READ = "return document.getElementById('signature').textContent"
_TEXTS = """
    const cuts = GIVEN.map((text) => ganglion.cut(text, signature.tokenizer).slice(0, signature.longest || Infinity));
    const longest = Math.max(...cuts.map((ids) => ids.length));
    const tokens = cuts.map((ids) => [...ids, ...Array(longest - ids.length).fill(0)]);
    return ganglion.answer({ tokens, tokens_length: cuts.map((ids) => ids.length) });
"""
_SOUNDS = """
    const bytes = Uint8Array.from(atob('GIVEN'), (each) => each.charCodeAt(0));
    const audio = rowsOf(Array.from(new Float32Array(bytes.buffer)), WIDTH);
    return ganglion.answer({ audio, audio_length: LENGTHS });
"""


class PageModel:
    """A page in a tab of its own.

    Parameters
    ----------
    browser : Browser
    page : Path

    Attributes
    ----------
    signature : Signature
        What the page says that its model takes.
    tab : Tab
    """

    def __init__(self, browser: Browser, page: Path) -> None:
        self.tab = browser.open(page)
        self.signature = Signature.from_json(json.dumps(_own(json.loads(self.tab.run(_READ)))))

    def answer(self, X: Any) -> dict[str, np.ndarray]:
        """Return what the page says of X, by role.

        Tables and series are given as CSV files, texts as texts, the rest as numbers.
        """
        told = self.tab.run(self._script(X))
        said = {role: np.array(values) for role, values in told.items()}
        lengths = {"words_length": [len(words) for words in X]} if self.signature.inputs[0].kind == "words" else {}
        return arranged(self.signature, said, {name: np.array(each) for name, each in lengths.items()})

    def _script(self, X: Any) -> str:
        inputs = self.signature.inputs
        if self.signature.task == "forecasting":
            return f"return ganglion.answer(ganglion.windowsOf({json.dumps(_as_rows(X))}))"
        if inputs[0].kind == "words":
            texts = json.dumps([" ".join(words) for words in X])
            return f"return ganglion.answer(ganglion.wordFeeds({texts}.map(ganglion.wordsIn)))"
        if self.signature.modality == "text":
            return _TEXTS.replace("GIVEN", json.dumps(list(X)))
        columns = columns_of(self.signature, X)
        if self.signature.modality == "table" and all(each.kind != "numbers" for each in inputs):
            return f"return (await ganglion.answerTable({json.dumps(_as_csv(columns))}))[2]"
        if self.signature.modality == "audio":
            raw = np.ascontiguousarray(columns["audio"], dtype="<f4")
            given = {"GIVEN": b64encode(raw.tobytes()).decode(), "WIDTH": str(raw.shape[1])}
            given["LENGTHS"] = json.dumps(columns["audio_length"].tolist())
            return functools.reduce(lambda script, each: script.replace(*each), given.items(), _SOUNDS)
        plain = {each.name: np.asarray(columns[each.name]) for each in inputs}
        for each in inputs:  # pictures of one channel have its axis too
            if each.kind == "image" and plain[each.name].ndim == 3:
                plain[each.name] = plain[each.name][..., None]
        return f"return ganglion.answer({json.dumps({name: values.tolist() for name, values in plain.items()})})"


def _own(told: dict[str, Any]) -> dict[str, Any]:
    """Return the signature without what a page knows besides."""
    return {name: value for name, value in told.items() if name not in ("missing", "flags", "unknown")}


def _as_rows(X: Any) -> str:
    """Return series as text: a table with its names, or steps of numbers alone."""
    if hasattr(X, "columns") or isinstance(X, Mapping):
        return _as_csv(
            {str(name): np.asarray(X[name]).tolist() for name in (X if isinstance(X, Mapping) else X.columns)}
        )
    steps = np.asarray(X, dtype=np.float64)
    return "\n".join(",".join(map(repr, row)) for row in steps.reshape(len(steps), -1).tolist())


def _as_csv(columns: Mapping[str, Any]) -> str:
    file = io.StringIO()
    rows = zip(*columns.values(), strict=True)
    csv.writer(file, lineterminator="\n").writerows([list(columns), *(map(_cell, row) for row in rows)])
    return file.getvalue()


def _cell(value: Any) -> str:
    return "" if is_missing(value) else str(value)
