"""Fashion-MNIST made by four kinds of models: how far their images are from the test images, in learned features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from ganglion.algorithms.diffusion import Diffusion
from ganglion.algorithms.gan import GAN
from ganglion.algorithms.rbm import RBM
from ganglion.algorithms.vae import VAE
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidFile
from ganglion.evaluation.feature_space import feature_space
from ganglion.evaluation.frechet import frechet_distance

SEED, N_MADE, RESAMPLES = 0, 5000, 200
MODELS: dict[str, Callable[[], Any]] = {  # tried on training images: see the claim's settings
    "diffusion": lambda: Diffusion(channels=32, epochs=8, batch_size=64, steps=25, learning_rate=2e-3, threads=1),
    "GAN": lambda: GAN(network="dcgan", channels=32, epochs=6, batch_size=64, learning_rate=2e-3, threads=1),
    "VAE": lambda: VAE(latent=20, hidden=(400,), epochs=10, threads=1),
    "RBM": lambda: RBM(units=500, epochs=10, threads=1),
}
REFERENCE = "the order of the literature; no paper has these features"


def claim() -> Claim:
    """Train each model on the training images, and compare its images with as many of the test images."""
    from benchmarks.public import fashion_mnist

    try:
        X, y, X_test, _ = fashion_mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    space = feature_space(as_dataset(X), y, seed=SEED)
    rng = np.random.default_rng(SEED)
    real = space.features(as_dataset(X_test[rng.permutation(len(X_test))[:N_MADE]]))
    distances, details = {}, {}
    for name, make in MODELS.items():
        model = make().set_params(random_state=SEED).fit(X)
        made = space.features(as_dataset(as_bytes(model.sample(N_MADE, random_state=SEED))))
        distances[name] = with_interval(real, made, rng)
        details[name] = {
            "settings": str(model),
            "frechet": distances[name],
            "seconds": model.history_.rows[-1]["seconds"],
            "last_epoch": model.history_.rows[-1],
        }
    figures = [apart(*pair, distances) for pair in pairwise(MODELS)]
    return Claim(
        name="fashion_frechet",
        data=f"Fashion-MNIST: {len(X):,} images to learn from, {N_MADE:,} made ones beside as many of the test images.",
        settings=f"Fréchet distance in {space.note}. Each figure is the upper end of the better model's interval over "
        "the lower end of the other's: below 1 they are apart. Interval: images drawn anew, of one training each. "
        "Before, on 10,000 of the training images beside 2,000 others of them, for 4 to 6 epochs: diffusion 20 (16 "
        "channels 33), GAN 27 (half the rate, hinge: 29; a tenth of it: 64), VAE 39, RBM 113.",
        reference=REFERENCE,
        figures=figures,
        details=details,
    )


def apart(better: str, worse: str, distances: Mapping[str, tuple[float, float, float]]) -> Figure:
    """Return the end of the better model's interval over the beginning of the other's."""
    (near, _, end), (far, start, _) = distances[better], distances[worse]
    name = f"{better} {near:.1f} / {worse} {far:.1f}, ends"
    return Figure(name, end / start, end / start, end / start, 1.0, REFERENCE, lower_is_better=True)


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Return images as bytes, whatever a model answered."""
    return images if images.dtype == np.uint8 else np.clip(np.round(images), 0, 255).astype(np.uint8)


def with_interval(real: np.ndarray, made: np.ndarray, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the distance, and its 95 % interval when images are drawn anew, moved to where the distance is.

    Drawing anew repeats some images, which makes two clouds of them look farther apart: so much is taken off.
    """
    value = frechet_distance(real, made)
    drawn = [
        frechet_distance(real[rng.integers(len(real), size=len(real))], made[rng.integers(len(made), size=len(made))])
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975]) - (np.mean(drawn) - value)
    return value, float(low), float(high)
