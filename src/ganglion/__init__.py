"""Ganglion: scikit-learn for deep learning.

Every algorithm is an estimator that can be fitted, scored, saved and used, from Python or the command line:

    import ganglion as gg

    model = gg.MLPClassifier().fit(X, y)
    print(gg.evaluate(model, X_test, y_test, train=(X, y)))
    model.save("model.ganglion")

Names are imported when they are first asked for, so that `import ganglion` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ganglion.version import __version__

if TYPE_CHECKING:
    from ganglion.algorithms.anomaly_detector import AnomalyDetector
    from ganglion.algorithms.autoencoder import Autoencoder
    from ganglion.algorithms.cnn import CNNClassifier, CNNRegressor
    from ganglion.algorithms.dbn import DBN
    from ganglion.algorithms.dbn_classifier import DBNClassifier
    from ganglion.algorithms.detection_cnn import DetectionCNN
    from ganglion.algorithms.diffusion import Diffusion
    from ganglion.algorithms.forecaster import Forecaster
    from ganglion.algorithms.gan import GAN
    from ganglion.algorithms.language_model import LanguageModel
    from ganglion.algorithms.mlp import MLPClassifier, MLPRegressor
    from ganglion.algorithms.music_model import MusicModel
    from ganglion.algorithms.perceptron import Perceptron
    from ganglion.algorithms.rbm import RBM
    from ganglion.algorithms.rnn import RNNClassifier, RNNRegressor
    from ganglion.algorithms.rnn_tagger import RNNTagger
    from ganglion.algorithms.segmentation_cnn import SegmentationCNN
    from ganglion.algorithms.speech_recognizer import SpeechRecognizer
    from ganglion.algorithms.text_cnn import TextCNN
    from ganglion.algorithms.transformer import TransformerClassifier, TransformerRegressor
    from ganglion.algorithms.translator import Translator
    from ganglion.algorithms.vae import VAE
    from ganglion.algorithms.vision_transformer import VisionTransformer
    from ganglion.compression.compress import compress
    from ganglion.compression.distil import distil
    from ganglion.compression.prune import prune
    from ganglion.compression.quantize import quantize
    from ganglion.compression.result import Compression
    from ganglion.compression.shrink import shrink
    from ganglion.data.dataset import Dataset
    from ganglion.data.inspection import inspect
    from ganglion.data.music_files import write_music
    from ganglion.data.read import read
    from ganglion.deployment.export import export
    from ganglion.deployment.monitor import monitor
    from ganglion.deployment.onnx_model import OnnxModel
    from ganglion.deployment.serving.server import serve
    from ganglion.estimators.artifact import load
    from ganglion.estimators.base import Estimator
    from ganglion.estimators.classifier import Classifier
    from ganglion.estimators.regressor import Regressor
    from ganglion.estimators.selection import select
    from ganglion.evaluation.compare import compare
    from ganglion.evaluation.comparison import Comparison
    from ganglion.evaluation.conformal import conformal
    from ganglion.evaluation.evaluate import evaluate
    from ganglion.evaluation.looking import plot_augmentation, plot_feature_maps, plot_filters
    from ganglion.evaluation.remembering import plot_gradients
    from ganglion.explanation.counterfactual import counterfactual
    from ganglion.explanation.counterfactuals import Counterfactuals
    from ganglion.explanation.dependence import partial_dependence
    from ganglion.explanation.explain import explain
    from ganglion.explanation.explanation import Explanation, Explanations
    from ganglion.explanation.importance import importance
    from ganglion.explanation.sanity import sanity
    from ganglion.fairness.audit import audit, audit_scores
    from ganglion.fairness.data_audit import audit_data
    from ganglion.fairness.debias import debias
    from ganglion.fairness.reweighing import reweigh
    from ganglion.fairness.trade_off import trade_off
    from ganglion.options import hyperparameters, option
    from ganglion.training.objective import Objective
    from ganglion.training.trainer import Trainer

_HOMES = {
    "AnomalyDetector": "ganglion.algorithms.anomaly_detector",
    "Autoencoder": "ganglion.algorithms.autoencoder",
    "Classifier": "ganglion.estimators.classifier",
    "Compression": "ganglion.compression.result",
    "Dataset": "ganglion.data.dataset",
    "DBN": "ganglion.algorithms.dbn",
    "DBNClassifier": "ganglion.algorithms.dbn_classifier",
    "DetectionCNN": "ganglion.algorithms.detection_cnn",
    "Diffusion": "ganglion.algorithms.diffusion",
    "GAN": "ganglion.algorithms.gan",
    "Forecaster": "ganglion.algorithms.forecaster",
    "Estimator": "ganglion.estimators.base",
    "Explanation": "ganglion.explanation.explanation",
    "Explanations": "ganglion.explanation.explanation",
    "CNNClassifier": "ganglion.algorithms.cnn",
    "CNNRegressor": "ganglion.algorithms.cnn",
    "LanguageModel": "ganglion.algorithms.language_model",
    "MLPClassifier": "ganglion.algorithms.mlp",
    "MLPRegressor": "ganglion.algorithms.mlp",
    "MusicModel": "ganglion.algorithms.music_model",
    "Objective": "ganglion.training.objective",
    "OnnxModel": "ganglion.deployment.onnx_model",
    "Perceptron": "ganglion.algorithms.perceptron",
    "RBM": "ganglion.algorithms.rbm",
    "RNNClassifier": "ganglion.algorithms.rnn",
    "RNNRegressor": "ganglion.algorithms.rnn",
    "RNNTagger": "ganglion.algorithms.rnn_tagger",
    "Regressor": "ganglion.estimators.regressor",
    "SegmentationCNN": "ganglion.algorithms.segmentation_cnn",
    "SpeechRecognizer": "ganglion.algorithms.speech_recognizer",
    "TextCNN": "ganglion.algorithms.text_cnn",
    "Trainer": "ganglion.training.trainer",
    "TransformerClassifier": "ganglion.algorithms.transformer",
    "TransformerRegressor": "ganglion.algorithms.transformer",
    "Translator": "ganglion.algorithms.translator",
    "VAE": "ganglion.algorithms.vae",
    "VisionTransformer": "ganglion.algorithms.vision_transformer",
    "Comparison": "ganglion.evaluation.comparison",
    "Counterfactuals": "ganglion.explanation.counterfactuals",
    "audit": "ganglion.fairness.audit",
    "compare": "ganglion.evaluation.compare",
    "audit_data": "ganglion.fairness.data_audit",
    "audit_scores": "ganglion.fairness.audit",
    "debias": "ganglion.fairness.debias",
    "compress": "ganglion.compression.compress",
    "conformal": "ganglion.evaluation.conformal",
    "counterfactual": "ganglion.explanation.counterfactual",
    "distil": "ganglion.compression.distil",
    "evaluate": "ganglion.evaluation.evaluate",
    "explain": "ganglion.explanation.explain",
    "export": "ganglion.deployment.export",
    "hyperparameters": "ganglion.options",
    "importance": "ganglion.explanation.importance",
    "inspect": "ganglion.data.inspection",
    "load": "ganglion.estimators.artifact",
    "monitor": "ganglion.deployment.monitor",
    "option": "ganglion.options",
    "partial_dependence": "ganglion.explanation.dependence",
    "plot_augmentation": "ganglion.evaluation.looking",
    "plot_feature_maps": "ganglion.evaluation.looking",
    "plot_filters": "ganglion.evaluation.looking",
    "plot_gradients": "ganglion.evaluation.remembering",
    "prune": "ganglion.compression.prune",
    "quantize": "ganglion.compression.quantize",
    "read": "ganglion.data.read",
    "reweigh": "ganglion.fairness.reweighing",
    "sanity": "ganglion.explanation.sanity",
    "select": "ganglion.estimators.selection",
    "serve": "ganglion.deployment.serving.server",
    "shrink": "ganglion.compression.shrink",
    "trade_off": "ganglion.fairness.trade_off",
    "write_music": "ganglion.data.music_files",
}

__all__ = [  # noqa: RUF022 - in the order of dir()
    "AnomalyDetector",
    "Autoencoder",
    "CNNClassifier",
    "CNNRegressor",
    "Classifier",
    "Comparison",
    "Compression",
    "Counterfactuals",
    "DBN",
    "DBNClassifier",
    "Dataset",
    "DetectionCNN",
    "Diffusion",
    "Estimator",
    "Explanation",
    "Explanations",
    "Forecaster",
    "GAN",
    "LanguageModel",
    "MLPClassifier",
    "MLPRegressor",
    "MusicModel",
    "Objective",
    "OnnxModel",
    "Perceptron",
    "RBM",
    "RNNClassifier",
    "RNNRegressor",
    "RNNTagger",
    "Regressor",
    "SegmentationCNN",
    "SpeechRecognizer",
    "TextCNN",
    "Trainer",
    "TransformerClassifier",
    "TransformerRegressor",
    "Translator",
    "VAE",
    "VisionTransformer",
    "__version__",
    "audit",
    "audit_data",
    "audit_scores",
    "compare",
    "compress",
    "conformal",
    "counterfactual",
    "debias",
    "distil",
    "evaluate",
    "explain",
    "export",
    "hyperparameters",
    "importance",
    "inspect",
    "load",
    "monitor",
    "option",
    "partial_dependence",
    "plot_augmentation",
    "plot_feature_maps",
    "plot_filters",
    "plot_gradients",
    "prune",
    "quantize",
    "read",
    "reweigh",
    "sanity",
    "select",
    "serve",
    "shrink",
    "trade_off",
    "write_music",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from ganglion.errors import suggestion

        raise AttributeError(f"module 'ganglion' has no attribute {name!r}.{suggestion(name, _HOMES)}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
