"""Membranes of nerve cells by a U-Net, five folds of the 30 slices that ISBI 2012 gave to train on."""

from __future__ import annotations

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped, bootstrap_mean
from benchmarks.public import isbi2012_membrane
from ganglion.algorithms.segmentation_cnn import SegmentationCNN
from ganglion.errors import InvalidFile

FOLDS, SEED = 5, 0
SETTINGS = {
    "channels": 16,
    "epochs": 250,
    "batch_size": 8,
    "validation_fraction": 0,
    "augmentation": "crop(size=256) + flip(vertical=True) + turn + elastic",
    "views": "turn",
}
THRESHOLDS = np.linspace(0.05, 0.95, 19)
TARGET = 0.061


def claim() -> Claim:
    """Train on 24 slices at a time; the figures are over all 30, each answered by the network that did not see it."""
    try:
        images, labels = isbi2012_membrane()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    shares = np.empty(images.shape)
    for held_out in np.array_split(np.random.default_rng(SEED).permutation(len(images)), FOLDS):
        training = np.setdiff1d(np.arange(len(images)), held_out)
        model = SegmentationCNN(**SETTINGS, random_state=SEED).fit(images[training], labels[training])
        shares[held_out] = model.predict_proba(images[held_out])[:, 1]
    wrong = ((shares > 0.5) != labels).mean((1, 2))
    error, low, high = challenge_error(shares, labels)
    return Claim(
        name="isbi_unet",
        data=f"ISBI 2012, the 30 slices with labels, 512 × 512; {FOLDS} folds by slice, 24 to train and 6 to test.",
        settings=f"SegmentationCNN({', '.join(f'{name}={value!r}' for name, value in SETTINGS.items())}), all else as "
        "it comes; the mean of 8 turned and mirrored copies (the paper: of 7 turned ones). Intervals: the sampling of "
        "slices (bootstrap). Slices to test on lie between others of the same stack; the paper's are of another one.",
        reference="Ronneberger, Fischer & Brox 2015, arXiv:1505.04597, table 1. Its pixel error is the challenge's, "
        "1 - the best F-score over thresholds (here of the cells), or the share of wrong pixels: its page names both "
        "(http://brainiac2.mit.edu/isbi_challenge/evaluation), so both are shown.",
        figures=[
            Figure("1 - best F-score", error, low, high, TARGET, paper="0.0611 (hidden slices)", lower_is_better=True),
            Figure("wrong pixels", wrong.mean(), *bootstrap_mean(wrong), TARGET, lower_is_better=True),
        ],
        details={"wrong_pixels": wrong.tolist()},
    )


def challenge_error(shares: np.ndarray, labels: np.ndarray, *, resamples: int = 2000) -> tuple[float, float, float]:
    """Return 1 - the best F-score of the cells over thresholds, and its 95 % interval (bootstrap over slices)."""
    said = np.stack([shares > threshold for threshold in THRESHOLDS])
    both, either = (said & (labels == 1)).sum((2, 3)), said.sum((2, 3)) + (labels == 1).sum((1, 2))
    draws = np.random.default_rng(SEED).integers(len(labels), size=(resamples, len(labels)))

    def error(rows: np.ndarray) -> float:
        return 1 - float((2 * both[:, rows].sum(1) / either[:, rows].sum(1)).max())

    low, high = np.quantile([error(rows) for rows in draws], [0.025, 0.975])
    return error(np.arange(len(labels))), float(low), float(high)
