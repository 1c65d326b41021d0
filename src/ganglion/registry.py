"""The list of algorithms: name → class → tags. Classes are imported when asked for, and nothing else ever is.

A plugin adds its own through the entry-point group `ganglion.algorithms`; one that cannot be imported is reported
and left out, never fatal.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from ganglion.errors import GanglionWarning, unknown_name

# One line an algorithm: the name that files, commands and pages use, and where its class is.
ALGORITHMS = {
    "AnomalyDetector": "ganglion.algorithms.anomaly_detector",
    "Autoencoder": "ganglion.algorithms.autoencoder",
    "CNNClassifier": "ganglion.algorithms.cnn",
    "CNNRegressor": "ganglion.algorithms.cnn",
    "DBN": "ganglion.algorithms.dbn",
    "DBNClassifier": "ganglion.algorithms.dbn_classifier",
    "DetectionCNN": "ganglion.algorithms.detection_cnn",
    "Diffusion": "ganglion.algorithms.diffusion",
    "Forecaster": "ganglion.algorithms.forecaster",
    "GAN": "ganglion.algorithms.gan",
    "LanguageModel": "ganglion.algorithms.language_model",
    "MLPClassifier": "ganglion.algorithms.mlp",
    "MLPRegressor": "ganglion.algorithms.mlp",
    "MusicModel": "ganglion.algorithms.music_model",
    "Perceptron": "ganglion.algorithms.perceptron",
    "RBM": "ganglion.algorithms.rbm",
    "RNNClassifier": "ganglion.algorithms.rnn",
    "RNNRegressor": "ganglion.algorithms.rnn",
    "RNNTagger": "ganglion.algorithms.rnn_tagger",
    "SegmentationCNN": "ganglion.algorithms.segmentation_cnn",
    "SpeechRecognizer": "ganglion.algorithms.speech_recognizer",
    "TextCNN": "ganglion.algorithms.text_cnn",
    "TransformerClassifier": "ganglion.algorithms.transformer",
    "TransformerRegressor": "ganglion.algorithms.transformer",
    "Translator": "ganglion.algorithms.translator",
    "VAE": "ganglion.algorithms.vae",
    "VisionTransformer": "ganglion.algorithms.vision_transformer",
}
GROUP = "ganglion.algorithms"
# What is put around algorithms and saved with them: the name that files use, and where its class is.
WRAPPERS = {
    "Adversarial": "ganglion.fairness.adversarial",
    "Constrained": "ganglion.fairness.constraints",
    "Reweighed": "ganglion.fairness.reweighing",
    "Thresholded": "ganglion.fairness.thresholds",
}


def names() -> list[str]:
    """Return the names of all algorithms, plugins included, sorted."""
    return sorted({*ALGORITHMS, *_plugins()})


def algorithm(name: str) -> Any:
    """Return the class of an algorithm by its name; case, hyphens and underscores do not matter.

    Raises
    ------
    InvalidParameter
        If there is none of that name; the nearest one is suggested.
    """
    plain = {_plain(known): known for known in names()}
    known = plain.get(_plain(name))
    if known is None:
        raise unknown_name("algorithm", name, names())
    if known in ALGORITHMS:
        return getattr(importlib.import_module(ALGORITHMS[known]), known)
    return _plugins()[known]


def wrapper(name: str) -> Any:
    """Return the class of what is put around algorithms, by its exact name.

    Raises
    ------
    InvalidParameter
        If there is none of that name.
    """
    if name not in WRAPPERS:
        raise unknown_name("wrapper", name, WRAPPERS)
    return getattr(importlib.import_module(WRAPPERS[name]), name)


def name_of(cls: type) -> str | None:
    """Return the name under which a class is registered, or None."""
    if ALGORITHMS.get(cls.__name__) == cls.__module__:
        return cls.__name__
    return next((name for name, plugin in _plugins().items() if plugin is cls), None)


def all_algorithms() -> dict[str, Any]:
    """Return every algorithm, name → class."""
    return {name: algorithm(name) for name in names()}


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


@functools.cache
def _plugins() -> dict[str, Any]:
    return {
        entry.name: cls
        for entry in entry_points(group=GROUP)
        if entry.name not in ALGORITHMS and (cls := _load(entry)) is not None
    }


def _load(entry: EntryPoint) -> Any | None:
    try:
        return entry.load()
    except Exception as error:
        warnings.warn(
            f"the plugin algorithm {entry.name} ({entry.value}) cannot be loaded and is left out: "
            f"{type(error).__name__}: {error}",
            GanglionWarning,
            stacklevel=2,
        )
        return None
