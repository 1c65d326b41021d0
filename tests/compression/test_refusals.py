"""What cannot be made smaller is refused before work starts, with what to do."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import ganglion as gg
from ganglion.compression.compress import compress
from ganglion.compression.folding import fold
from ganglion.compression.prune import prune
from ganglion.compression.quantize import quantize
from ganglion.compression.shrink import shrink
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.estimators.base import NotFitted

X = np.random.default_rng(0).normal(size=(80, 3))
Y = (X[:, 0] > 0).astype(int)
FOREIGN = LogisticRegression().fit(X, Y)
ALL = [prune, shrink, quantize, compress, lambda model, X, y: fold(model)]


@pytest.mark.parametrize("make", ALL)
def test_what_is_no_fitted_estimator_of_ours(make):
    with pytest.raises(InvalidInput, match=r"the class MLPClassifier was given. Give a fitted estimator"):
        make(gg.MLPClassifier, X, Y)
    with pytest.raises(InvalidInput, match=r"a LogisticRegression was given. Give a fitted estimator"):
        make(FOREIGN, X, Y)
    with pytest.raises(NotFitted, match="Call fit"):
        make(gg.MLPClassifier(), X, Y)


def test_what_is_not_trained_by_gradients_cannot_go_on_but_be_rounded():
    perceptron = gg.Perceptron(random_state=0).fit(X, Y)
    for make, settings in ((prune, {}), (prune, {"taught": True}), (shrink, {}), (quantize, {"aware": True})):
        with pytest.raises(InvalidParameter, match=r"not trained by gradients.* Round its weights with quantize"):
            make(perceptron, X, Y, **settings)
    small = quantize(perceptron)
    assert np.mean(small.predict(X) == perceptron.predict(X)) > 0.95


def test_a_teacher_joins_one_mean_loss():
    vae = gg.VAE(latent=1, hidden=(4,), epochs=1, random_state=0).fit(X)
    with pytest.raises(InvalidInput, match="a teacher joins one objective"):
        prune(vae, X, taught=True)
