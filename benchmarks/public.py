"""Public data as arrays, found through `ganglion.data.public`; nothing is fetched."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np


def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return training images (60000, 28, 28) uint8 and labels int64, then those of the test set (10,000)."""
    from ganglion.data.public import find

    folder = find("mnist")
    parts = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    X_train, y_train, X_test, y_test = (idx(folder / f"{part}-ubyte.gz") for part in parts)
    return X_train, y_train.astype(np.int64), X_test, y_test.astype(np.int64)


def idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of bytes."""
    raw = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(raw, ">i4", count=raw[3], offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def sonar() -> tuple[np.ndarray, np.ndarray]:
    """Return the 60 bands, (208, 60) float64, and the labels "M" (mine) or "R" (rock)."""
    from ganglion.data.public import find

    with find("sonar/sonar.csv").open(newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    return np.array([row[:-1] for row in rows], dtype=np.float64), np.array([row[-1] for row in rows])
