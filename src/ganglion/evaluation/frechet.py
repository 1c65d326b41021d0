"""The Fréchet distance: how far two clouds of points lie apart, as if both were Gaussian.

    F = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁^½ C₂ C₁^½)^½)

Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions", J. Multivariate Anal. 12, eq. 4;
as a measure of generators Heusel et al. 2017, arXiv:1706.08500, there in the features of one particular network.

It is never 0 between two samples of one law: means and covariances of n and m points are estimates. Of a Gaussian with
covariance C, whose eigenvalues are λ, to the first order in 1/n + 1/m,

    E F ≈ (1/n + 1/m) (tr C + ¼ tr C + ½ Σ_ij λ_i λ_j / (λ_i + λ_j))

the first term from the means, the rest from the second order of the trace in the error of the covariances (Wishart:
var of entry ij is λ_i λ_j (1 + [i = j]) / n). Letters: n, m points, d numbers of a point, b resamples.
"""

from __future__ import annotations

import numpy as np

from ganglion.errors import InvalidInput
from ganglion.evaluation.predictions import Array
from ganglion.evaluation.resampling import Resampled


def frechet_distance(x: Array, y: Array) -> float:
    """Return the Fréchet distance between Gaussians fitted to two clouds of points.

    Parameters
    ----------
    x : array-like of shape (n, d)
    y : array-like of shape (m, d)

    Returns
    -------
    float
        In squares of the points' unit, 0 or more.

    Raises
    ------
    InvalidInput
        If they are no matrices of finite numbers of the same width, or a cloud has less than two points.

    References
    ----------
    Dowson & Landau 1982, J. Multivariate Anal. 12, 450-455, eq. 4.
    """
    clouds = [np.asarray(each, dtype=np.float64) for each in (x, y)]
    shapes = [each.shape for each in clouds]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][1] != shapes[1][1] or min(map(len, clouds)) < 2:
        raise InvalidInput(
            f"x and y have shapes {shapes[0]} and {shapes[1]}, but two matrices of the same width are wanted, (n, d) "
            "and (m, d), with two rows or more."
        )
    if not all(np.isfinite(each).all() for each in clouds):
        raise InvalidInput("x or y holds NaN or infinity. Give finite numbers: impute what is missing first.")
    return distance_of_moments(*moments(clouds[0]), *moments(clouds[1]))


def distance_of_moments(mean: Array, covariance: Array, other_mean: Array, other_covariance: Array) -> float:
    """Return the Fréchet distance between two Gaussians: means (d,), covariances (d, d)."""
    root = symmetric_root(covariance)
    eigenvalues = np.linalg.eigvalsh(root @ other_covariance @ root)
    overlap = np.sqrt(eigenvalues.clip(min=0.0)).sum()  # rounding makes zeros a little negative
    traces = np.trace(covariance) + np.trace(other_covariance)
    return max(0.0, float(np.square(mean - other_mean).sum() + traces - 2 * overlap))


def moments(x: Array, weight: Array | None = None) -> tuple[Array, Array]:
    """Return mean and covariance of points (n, d), each counting by its weight; unbiased where all weigh the same."""
    n = len(x)
    weight = np.ones(n) if weight is None else weight
    total = weight.sum()
    mean = weight @ x / total
    centred = x - mean
    return mean, (centred * weight[:, None]).T @ centred * (n / (n - 1) / total)


def symmetric_root(matrix: Array) -> Array:
    """Return the root of a positive semidefinite matrix, (d, d)."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(eigenvalues.clip(min=0.0))) @ vectors.T


def expected_of_one_law(covariance: Array, n: int, m: int) -> float:
    """Return about how far apart n and m points of one Gaussian are on average, to the first order.

    Parameters
    ----------
    covariance : ndarray of shape (d, d)
    n, m : int
        Numbers of points, well above d.
    """
    eigenvalues = np.linalg.eigvalsh(covariance).clip(min=0.0)
    eigenvalues = eigenvalues[eigenvalues > 0]
    pairs = np.outer(eigenvalues, eigenvalues) / np.add.outer(eigenvalues, eigenvalues)
    return (1 / n + 1 / m) * float(1.25 * eigenvalues.sum() + 0.5 * pairs.sum())


def resampled_frechet(real: Array, made: Array) -> Resampled:
    """Return the function of the weights, (n, b), that gives the distance of each resample, (b,).

    Parameters
    ----------
    real, made : ndarray of shape (n, d)
        As many of either, drawn anew in pairs: they have nothing to do with one another, so that is drawing anew both.
    """

    def metrics(weights: Array) -> dict[str, Array]:
        each = [distance_of_moments(*moments(real, w), *moments(made, w)) for w in weights.T]
        return {"frechet": np.array(each)}

    return metrics
