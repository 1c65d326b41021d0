"""Music: how surprising each chord is, and which of its notes were expected.

    loss        nats a step, mean_t - log p(v_t | v_1 … v_{t-1}): all 88 keys, all steps of all pieces, the first too
    accuracy    Σ_t TP / Σ_t (TP + FP + FN), notes of all steps: those expected beside those that are there

The loss is counted as figures on the task of Boulanger-Lewandowski, Bengio & Vincent 2012, arXiv:1206.6392, are;
accuracy is the frame-level one of Bay, Ehmann & Downie 2009, "Evaluation of multiple-F0 estimation and tracking
systems". The bootstrap draws pieces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion.data.chords import LOWEST, chord_name, music_in, note_name, pieces_to_dataset
from ganglion.data.dataset import Dataset
from ganglion.drawing.piano_roll import piano_roll_chart
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.predictions import Array, Truth
from ganglion.evaluation.resampling import Resampled, ratio, values_at

PASSAGE = 16  # steps
N_WORST = 6  # passages shown
SAMPLE = 64  # chords written for the report


@dataclass(frozen=True, slots=True)
class Pieces(Truth):
    """Pieces of music: `values` are their piano rolls, (n,) of (steps, 88) uint8.

    Attributes
    ----------
    files : tuple of str
        The file of each, or empty.
    """

    files: tuple[str, ...] = ()

    def take(self, rows: Array) -> Pieces:
        """Return the pieces `rows`, (k,) indices."""
        return Pieces(self.task, self.values[rows], (), tuple(self.files[i] for i in rows) if self.files else ())

    @property
    def steps(self) -> Array:
        """How many steps each piece has, (n,) float64."""
        return np.fromiter(map(len, self.values), np.float64, count=len(self))


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model says of pieces.

    Attributes
    ----------
    nats : tuple of ndarray of shape (steps,)
        How surprising each chord is.
    expected : tuple of ndarray of shape (steps, 88), uint8
        The keys that were expected in each step.
    sample : ndarray of shape (steps, 88), or None
        A piece that the model wrote.
    shown : bool
        Whether its worst passages are; not of baselines.
    """

    nats: tuple[Array, ...]
    expected: tuple[Array, ...]
    sample: Array | None = None
    shown: bool = False


def pieces_of(model: Any, X: Any, y: Any, what: str = "y") -> Pieces:
    """Return pieces as piano rolls; y is not looked at.

    Parameters
    ----------
    model : not used
    X : list of pieces, array of piano rolls, or Dataset
    y, what
        Not used: pieces are their own answers.

    Raises
    ------
    InvalidInput
        If X holds no music.
    """
    data = X if isinstance(X, Dataset) else pieces_to_dataset(X)
    _, music = music_in(data)
    values = np.empty(len(music), dtype=object)
    for i, each in enumerate(music.split()):  # at once, equally long pieces would be a block
        values[i] = each.numpy()
    files = tuple(data.values("file").tolist()) if "file" in data.index else ()
    return Pieces("music_modelling", values, (), files)


def predict_pieces(model: Any, X: Any, truth: Pieces) -> Heard:
    """Ask a model how surprising each chord is, which it expected, and for a piece of its own.

    Raises
    ------
    InvalidInput
        If it does not answer with one finite number and one chord a step.
    """
    pieces = list(truth.values)
    nats, expected = tuple(model.surprisals(pieces)), tuple(model.predict(pieces))
    lengths = [[*map(len, each)] for each in (pieces, nats, expected)]
    if lengths[0] != lengths[1] or lengths[0] != lengths[2] or not all(np.isfinite(each).all() for each in nats):
        raise InvalidInput(
            f"{type(model).__name__} must say of each step how surprising its chord is, a finite number, and which "
            "keys were expected."
        )
    written = model.sample(length=SAMPLE, random_state=0) if hasattr(model, "sample") else None
    return Heard(nats, expected, written, shown=True)


def resampled_piece_metrics(truth: Pieces, said: Heard) -> list[Resampled]:
    """Return the function of the weights of the pieces, (n, b), that gives every metric, (b,) each."""
    steps, nats = truth.steps, np.array([each.sum() for each in said.nats])
    pairs = list(zip(truth.values, said.expected, strict=True))
    hits = np.array([(true & guess).sum() for true, guess in pairs], dtype=np.float64)
    either = np.array([(true | guess).sum() for true, guess in pairs], dtype=np.float64)

    def metrics(weights: Array) -> dict[str, Array]:
        return {"loss": ratio(nats @ weights, steps @ weights), "accuracy": ratio(hits @ weights, either @ weights)}

    return [metrics]


def piece_values(truth: Pieces, said: Heard, weight: Array | None = None) -> dict[str, float | str]:
    """Return every metric, or the reason why it is not defined on these pieces."""
    weight = np.ones(len(truth)) if weight is None else weight
    return values_at(resampled_piece_metrics(truth, said), weight, lambda name: "no note sounds or is expected")


def piece_facts(truth: Pieces, said: Heard) -> dict[str, str]:
    """Return what a reader must know of the pieces."""
    steps = truth.steps
    notes = sum(int(each.sum()) for each in truth.values)
    return {
        "Pieces": f"{len(truth):,}, {int(steps.min()):,} to {int(steps.max()):,} steps each, {int(steps.sum()):,} "
        f"in all, {notes / steps.sum():.2g} notes a step"
    }


def sample_chart(said: Heard) -> Chart | None:
    """Draw the piece that the model wrote, if it wrote one."""
    if said.sample is None:
        return None
    return piano_roll_chart(said.sample, "Written by the model", lowest=LOWEST, name=note_name)


def worst_passages_of(truth: Pieces, said: Heard, X: Any) -> tuple[Mistake, ...]:
    """Return the passages of some steps that cost most nats a step, worst first, as piano rolls."""
    if not said.shown:
        return ()
    places = [
        (float(nats[begin : begin + PASSAGE].mean()), row, begin)
        for row, nats in enumerate(said.nats)
        for begin in range(0, len(nats), PASSAGE)
        if len(nats[begin : begin + PASSAGE]) >= min(PASSAGE // 2, len(nats))  # a few steps are hard by chance
    ]
    worst = sorted(places, key=lambda place: (-place[0], *place[1:]))[:N_WORST]
    return tuple(_mistake(truth, said, row, begin, mean) for mean, row, begin in worst)


def _mistake(truth: Pieces, said: Heard, row: int, begin: int, mean: float) -> Mistake:
    """Return a passage: its picture, and the chord in it that was expected least beside the one that was expected."""
    part = slice(begin, begin + PASSAGE)
    true, guess, nats = truth.values[row][part], said.expected[row][part], said.nats[row][part]
    least = int(nats.argmax())
    where = f"steps {begin + 1} to {begin + len(true)}: {mean:.1f} nats a step"
    picture = piano_roll_chart(
        true, f"Piece {row}, {where}", said=guess, first=begin + 1, lowest=LOWEST, name=note_name
    )
    return Mistake(
        row,
        f"{chord_name(true[least])} in step {begin + least + 1}",
        f"{chord_name(guess[least])}; the true one had a chance of {math.exp(-nats[least]):.2g}",
        file=truth.files[row] if truth.files else "",
        picture=picture,
    )
