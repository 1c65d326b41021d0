"""The clock around a VAE, and one measure of how well it knows the test images. Needs numpy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.contenders.harness import Job, contend

Encode = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Decode = Callable[[np.ndarray], np.ndarray]


def contend_as_vae(fit: Callable[[Job, np.ndarray], tuple[Encode, Decode]], packages: Sequence[str]) -> None:
    """Time `fit(job, X)`, which returns two functions.

    One goes from images to the means and log variances of their codes, one from codes to the brightness of each pixel.
    """

    def measure(halves: tuple[Encode, Decode], arrays: Mapping[str, np.ndarray]) -> dict[str, float]:
        return {"negative_elbo": negative_elbo(*halves, arrays["X_test"], np.random.default_rng(0))}

    contend(fit, ["X_train"], measure, packages)


def negative_elbo(encode: Encode, decode: Decode, X: np.ndarray, rng: np.random.Generator) -> float:
    """Return the mean over images of cross-entropy + KL divergence, in nats; one code is drawn for each image."""
    means, log_variances = (np.asarray(part, np.float64) for part in encode(X))
    noise = rng.standard_normal(means.shape)
    codes = (means + np.exp(log_variances / 2) * noise).astype(np.float32)
    p = np.clip(np.asarray(decode(codes), np.float64), 1e-7, 1 - 1e-7)
    cross_entropy = -(X * np.log(p) + (1 - X) * np.log1p(-p)).sum(1)
    divergence = 0.5 * (means**2 + np.exp(log_variances) - 1 - log_variances).sum(1)
    return float((cross_entropy + divergence).mean())
