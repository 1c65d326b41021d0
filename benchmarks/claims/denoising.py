"""MNIST with a quarter of the pixels salt or pepper: a denoising autoencoder beside the median filter."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import median_filter

from benchmarks.claims import Claim, Figure, Skipped, bootstrap_mean
from benchmarks.public import mnist
from ganglion.algorithms.autoencoder import Autoencoder
from ganglion.errors import InvalidFile

SEED, LEVEL, SIDES = 0, 0.25, (3, 5)
SETTINGS: dict[str, Any] = {  # as they came to mind: nothing was chosen by a test image
    "latent": 128,
    "hidden": (512,),
    "corruption": "salt_and_pepper",
    "corruption_level": LEVEL,
    "loss": "cross_entropy",
    "batch_size": 128,
    "epochs": 8,
    "validation_fraction": 0,
    "threads": 1,
}
REFERENCE = "none, a comparison; denoising autoencoders: Vincent et al. 2008, ICML"


def claim() -> Claim:
    """Train on clean images that are spoiled anew in each epoch; the figure is of the spoiled test images."""
    try:
        X, _, X_test, _ = mnist()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    spoiled = salted(X_test, np.random.default_rng(SEED))
    model = Autoencoder(**SETTINGS, random_state=SEED).fit(X)
    ours = psnr(model.reconstruct(spoiled), X_test)
    filtered = {side: psnr(median_filter(spoiled, (1, side, side)), X_test) for side in SIDES}
    best = max(filtered, key=lambda side: filtered[side].mean())
    gain = ours - filtered[best]
    low, high = bootstrap_mean(gain.tolist(), resamples=2000)
    shown = ", ".join(f"{name}={value!r}" for name, value in SETTINGS.items())
    return Claim(
        name="denoising",
        data=f"MNIST, 60,000 clean images to train on; 10,000 test images, each pixel black or white with chance "
        f"{LEVEL / 2} each (seed {SEED}).",
        settings=f"Autoencoder({shown}, random_state={SEED}), all else as it comes; the median of {best} × {best} "
        f"pixels, the better of {' and '.join(map(str, SIDES))}. Interval: the sampling of test images (bootstrap).",
        reference=REFERENCE,
        figures=[Figure("PSNR over the median filter, dB", float(gain.mean()), low, high, target=0.0)],
        details={
            "ours_db": float(ours.mean()),
            "median_db": {str(side): float(each.mean()) for side, each in filtered.items()},
            "spoiled_db": float(psnr(spoiled, X_test).mean()),
            "losses": model.history_["loss"],
        },
    )


def salted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return images, uint8, of whose pixels a share is black or white, half of it each."""
    chance = rng.random(images.shape)
    return np.where(chance < LEVEL / 2, 0, np.where(chance < LEVEL, 255, images)).astype(np.uint8)


def psnr(said: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio of each image, (n,), in dB."""
    squares = (said.astype(np.float64) - truth).reshape(len(truth), -1) ** 2
    return 10 * np.log10(255**2 / squares.mean(1))
