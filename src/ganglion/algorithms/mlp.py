"""The multi-layer perceptron: layers of units, each a nonlinear function of a weighted sum of the layer below.

    h_0 = x                                        the prepared input: numbers scaled, categories embedded
    h_l = a(W_l h_{l-1} + b_l)                     l = 1 … L, a the activation
    s   = W_{L+1} h_L + b_{L+1}                    scores: logits, or numbers in units of the target's deviation

Trained by back-propagation: Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors",
Nature 323, eqs. 1-7. Differs: AdamW and a cosine schedule in place of gradient descent with momentum, both of which
can be chosen (`optimizer="sgd"`).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import nn

from ganglion.estimators.base import Tags
from ganglion.estimators.classifier import Classifier
from ganglion.estimators.regressor import Regressor
from ganglion.estimators.spec import Spec
from ganglion.networks.activations import check_activation
from ganglion.networks.mlp import MLP
from ganglion.networks.network import Network
from ganglion.options import hyperparameters, option


@hyperparameters
class MLPOptions:
    """What shapes the network, for classes and numbers alike."""

    hidden: tuple[int, ...] = option((128, 64), "Units of each hidden layer; none for a linear model.", at_least=1)
    activation: str = option(
        "relu",
        "Nonlinearity of the hidden units: relu, gelu, silu, tanh, sigmoid, selu, elu, leaky_relu, softplus, ….",
        check=check_activation,
    )
    dropout: float = option(0.0, "Share of hidden units silenced in training.", at_least=0, below=1)
    normalization: Literal["batch", "layer"] | None = option(None, "Normalisation before each activation.")
    residual: bool = option(False, "Whether a layer adds its input to its output where their widths agree.")
    scaling: Literal["none", "standard", "robust", "quantile"] = option(
        "standard", "How numbers are scaled by the network's first layer; robust bends outliers."
    )
    embedding: int | None = option(
        None, "Numbers that a category becomes; None lets the number of categories decide.", at_least=1, at_most=4096
    )

    def build(self, spec: Spec) -> Network:
        """Return input layer, multi-layer perceptron and output layer for data that look like `spec`."""
        entry = spec.input_layer(scaling=self.scaling, embedding=self.embedding)
        body = MLP(
            entry.n_out,
            spec.n_scores,
            self.hidden,
            activation=self.activation,
            dropout=self.dropout,
            normalization=self.normalization,
            residual=self.residual,
            # chosen on held-out parts of eleven public tables: the more samples, the more is left to be learned
            first_gain=1.0 if spec.n_samples < 2000 else 1 / 3,
        )
        return Network(entry, nn.Sequential(nn.Flatten(), body) if spec.inputs.image else body, spec.output)

    def widths(self) -> dict[str, Any]:
        """Return the units of each hidden layer; of layers with shortcuts nothing, for they must be equally wide."""
        return {} if self.residual else {"hidden": tuple(self.hidden)}


@hyperparameters
class MLPClassifier(MLPOptions, Classifier):
    """Multi-layer perceptron for classes: two, several, or several labels at once (y a matrix of zeros and ones).

    Reads tables (numbers, categories, dates, missing values) and stacks of images.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(hidden=(32,), random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.95)
    True

    References
    ----------
    Rumelhart, Hinton & Williams 1986, Nature 323, 533-536.
    """

    tags: ClassVar[Tags] = Tags(task="classification", multilabel=True, preferred_for=("table",))


@hyperparameters
class MLPRegressor(MLPOptions, Regressor):
    """Multi-layer perceptron for numbers: one target or several (y a matrix).

    Reads tables (numbers, categories, dates, missing values) and stacks of images. The target is standardised inside;
    predictions are in its own units.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = MLPRegressor(hidden=(16,), random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.4)
    True

    References
    ----------
    Rumelhart, Hinton & Williams 1986, Nature 323, 533-536.
    """

    tags: ClassVar[Tags] = Tags(task="regression", multioutput=True, preferred_for=("table",))
