"""Data of the battery of collapses: mixtures whose modes are known, and labelled rows of public sets.

Each has labels of some kind (the mode, the class), rows to learn from, and rows that are learned from by nobody.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from benchmarks.public import fashion_mnist, mnist

Array = np.ndarray
HELD_OUT = 0.4  # of the rows


@dataclass(frozen=True, eq=False)
class Data:
    """Rows to learn from, and held-out ones with their labels.

    Attributes
    ----------
    X, held_out : ndarray of shape (n, …)
    y, y_held_out : ndarray of shape (n,), int64
        From 0 on.
    centers, deviation : ndarray of shape (n_modes, d) and float, or None
        Of a mixture of round Gaussians, where the label is the mode.
    """

    X: Array
    held_out: Array
    y: Array
    y_held_out: Array
    centers: Array | None = None
    deviation: float | None = None


def of(X: Array, y: Array, seed: int, *, centers: Array | None = None, deviation: float | None = None) -> Data:
    """Return rows in a new order, of which the last are held out."""
    order = np.random.default_rng(seed).permutation(len(X))
    n = round(len(X) * (1 - HELD_OUT))
    X, y = X[order], y[order]
    return Data(X[:n], X[n:], y[:n], y[n:], centers, deviation)


def mixture(centers: Array, deviation: float, n: int, seed: int) -> Data:
    """Return rows of round Gaussians, each of which is as likely."""
    rng = np.random.default_rng(seed)
    y = rng.integers(len(centers), size=n)
    X = centers[y] + deviation * rng.standard_normal((n, centers.shape[1]))
    return of(X, y, seed, centers=centers, deviation=deviation)


def ring(seed: int) -> Data:
    """Return 8 Gaussians on a circle of radius 1."""
    angles = 2 * math.pi * np.arange(8) / 8
    return mixture(np.stack([np.cos(angles), np.sin(angles)], 1), 0.04, 2000, seed)


def grid(seed: int) -> Data:
    """Return 16 Gaussians on a grid."""
    places = np.stack(np.meshgrid(np.arange(4), np.arange(4)), -1).reshape(-1, 2)
    return mixture(places.astype(np.float64), 0.1, 2000, seed)


def clusters(seed: int, *, n_modes: int, width: int) -> Data:
    """Return Gaussians around places drawn at random."""
    centers = 2 * np.random.default_rng(1000 + seed).standard_normal((n_modes, width))
    return mixture(centers, 0.4, 2000, seed)


def bits(seed: int, *, n_patterns: int, width: int) -> Data:
    """Return patterns of bits, each bit turned over with a chance of 5 %."""
    rng = np.random.default_rng(seed)
    patterns = rng.random((n_patterns, width)) < 0.5
    y = rng.integers(n_patterns, size=2000)
    return of((patterns[y] ^ (rng.random((2000, width)) < 0.05)).astype(np.float64), y, seed)


def digits(seed: int) -> Data:
    """Return scikit-learn's digits, 8 × 8 bytes."""
    table: Any = load_digits()
    return of((table.images * 15).astype(np.uint8), table.target, seed)


def wine(seed: int) -> Data:
    """Return scikit-learn's wine, 178 rows of 13 numbers, three sorts."""
    table: Any = load_wine()
    return of(table.data, table.target, seed)


def cancer(seed: int) -> Data:
    """Return scikit-learn's breast cancer, 569 rows of 30 numbers, two kinds."""
    table: Any = load_breast_cancer()
    return of(table.data, table.target, seed)


def black_and_white(data: Data) -> Data:
    """Return pictures whose pixels are 0 or 255, and half of them or so."""
    X, held_out = (np.where(each > 110, 255, 0).astype(np.uint8) for each in (data.X, data.held_out))
    return Data(X, held_out, data.y, data.y_held_out)


def first(data: Data, n: int | None) -> Data:
    """Return the same with n rows only to learn from; None keeps all."""
    return Data(data.X[:n], data.held_out, data.y[:n], data.y_held_out, data.centers, data.deviation)


def halved(pictures: Array) -> Array:
    """Return bytes at half the side: the mean of 2 × 2."""
    n, height, width = pictures.shape
    return pictures.reshape(n, height // 2, 2, width // 2, 2).mean((2, 4)).astype(np.uint8)


def mnist_14(seed: int) -> Data:
    """Return 2,000 images of MNIST at 14 × 14."""
    return _some(*mnist()[:2], seed)


def fashion_14(seed: int) -> Data:
    """Return 2,000 images of Fashion-MNIST at 14 × 14."""
    return _some(*fashion_mnist()[:2], seed)


def _some(X: Array, y: Array, seed: int) -> Data:
    chosen = np.random.default_rng(seed).permutation(len(X))[:2000]
    return of(halved(X[chosen]), y[chosen], seed)


DEVELOPMENT: dict[str, Callable[[int], Data]] = {
    "modes in 2-D": ring,
    "modes": lambda seed: clusters(seed, n_modes=10, width=6),
    "pictures": digits,
    "black and white": lambda seed: black_and_white(digits(seed)),
    "table": wine,
    "bits": lambda seed: bits(seed, n_patterns=6, width=20),
}
REPORTED: dict[str, Callable[[int], Data]] = {
    "modes in 2-D": grid,
    "modes": lambda seed: clusters(seed, n_modes=7, width=10),
    "pictures": mnist_14,
    "black and white": lambda seed: black_and_white(fashion_14(seed)),
    "table": cancer,
    "bits": lambda seed: bits(seed, n_patterns=8, width=28),
}
