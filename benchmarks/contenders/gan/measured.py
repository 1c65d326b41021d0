"""The clock around a GAN, and one measure of how far its images are from the test images. Needs numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.contenders.harness import Job, contend

N_MADE, N_AXES = 5000, 50
Sample = Callable[[int], np.ndarray]


def contend_as_gan(fit: Callable[[Job, np.ndarray], Sample], packages: Sequence[str]) -> None:
    """Time `fit(job, X)`, which returns a function from a number to so many made images, pixels from 0 to 1."""

    def measure(sample: Sample, arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        made = np.asarray(sample(N_MADE), np.float64)
        return {"frechet_distance": frechet_distance(arrays["X_test"].astype(np.float64), made)}

    contend(fit, ["X_train"], measure, packages)


def frechet_distance(real: np.ndarray, made: np.ndarray, n_axes: int = N_AXES) -> float:
    """Return the distance of two normal laws, fitted to rows on the principal axes of the real ones.

    |m_1 - m_2|² + tr(S_1 + S_2 - 2 (S_1^½ S_2 S_1^½)^½): Dowson & Landau 1982.
    """
    center = real.mean(0)
    axes = np.linalg.eigh(np.cov(real.T))[1][:, -n_axes:]
    means, spreads = zip(*(_moments((rows - center) @ axes) for rows in (real, made)), strict=True)
    root = _root(spreads[0])
    overlap = _root(root @ spreads[1] @ root)
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(spreads[0] + spreads[1] - 2 * overlap))


def _moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return rows.mean(0), np.atleast_2d(np.cov(rows.T))


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
