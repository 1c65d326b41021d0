"""JSB chorales, quarter note by quarter note: how surprising each chord of the test pieces is, in nats."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from ganglion.algorithms.music_model import MusicModel
from ganglion.data.public import find
from ganglion.errors import InvalidFile

SEED = 0
SETTINGS: dict[str, dict[str, Any]] = {  # chosen among a few by the validation part
    "nade": {
        "transpose": 5,
        "width": 512,
        "dropout": 0.5,
        "epochs": 300,
        "batch_size": 32,
        "learning_rate": 3e-3,
        "threads": 1,
    }
}
TARGET = 8.5
PAPERS = (
    "GRU, keys independent: 8.54 (Chung et al. 2014, arXiv:1412.3555); RNN-RBM 6.27, RNN-NADE 5.56 "
    "(Boulanger-Lewandowski et al. 2012, arXiv:1206.6392)"
)


def claim() -> Claim:
    """Train on the training part, keep the best weights by the validation part; the figure is of the test part."""
    try:
        parts = json.loads(find("jsb_chorales/jsb-chorales-quarter.json").read_text())
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    figures, details = [], {}
    for chord, settings in SETTINGS.items():
        model = MusicModel(chord=chord, **settings, random_state=SEED)
        model.fit(parts["train"], validation=(parts["valid"], None))
        nats = model.surprisals(parts["test"])
        value, low, high = mean_of_steps(nats)
        figures.append(Figure(f"nats a step, {chord}", value, low, high, TARGET, PAPERS, lower_is_better=True))
        details[chord] = {"history": model.history_.to_dict(), "validation": -model.score(parts["valid"])}
    return Claim(
        name="jsb_chorales",
        data="JSB chorales in quarter notes, sets of pitches, 229 pieces to train on, 76 to validate and 77 to test "
        "on, as given.",
        settings="; ".join(f"MusicModel(chord={chord!r}, {_written(each)})" for chord, each in SETTINGS.items())
        + ", all else as it comes, chosen on the validation part. Over all 88 keys and all steps, the first of each "
        "piece too. Interval: the sampling of pieces (bootstrap).",
        reference=PAPERS,
        figures=figures,
        details=details,
    )


def mean_of_steps(nats: list[np.ndarray], *, resamples: int = 10_000) -> tuple[float, float, float]:
    """Return the mean over the steps of all pieces, and its 95 % interval when pieces are drawn anew."""
    sums, steps = np.array([each.sum() for each in nats]), np.array([len(each) for each in nats])
    drawn = np.random.default_rng(0).integers(len(nats), size=(resamples, len(nats)))
    low, high = np.quantile(sums[drawn].sum(1) / steps[drawn].sum(1), [0.025, 0.975])
    return float(sums.sum() / steps.sum()), float(low), float(high)


def _written(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())
