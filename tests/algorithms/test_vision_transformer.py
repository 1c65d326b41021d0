"""The vision transformer: what it learns, what it lets one see, what it refuses."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ganglion.algorithms.vision_transformer import VisionTransformer
from ganglion.errors import InvalidInput, InvalidParameter

X, Y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8)


@pytest.fixture(scope="module")
def model():
    return VisionTransformer(
        width=32, layers=1, heads=2, patch_size=4, epochs=20, learning_rate=0.005, random_state=0
    ).fit(X[:1200], Y[:1200])


def test_it_learns_digits(model):
    assert model.score(X[1200:], Y[1200:]) > 0.87


def test_attention_says_how_much_each_patch_looks_at_each(model):
    weights = model.attention(X[:3])
    assert weights.shape == (3, 1, 2, 5, 5)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("pool", ["average", "token"])
def test_patches_of_any_size_on_pictures_of_any_shape(pool):
    pictures = np.random.default_rng(0).integers(0, 256, (24, 11, 17, 3)).astype(np.uint8)
    small = VisionTransformer(patch_size=4, width=8, layers=1, heads=2, pool=pool, epochs=1, random_state=0)
    small.fit(pictures, np.arange(24) % 3)
    assert small.attention(pictures).shape == (24, 1, 2, 16, 16)


def test_what_it_says_of_a_picture_does_not_depend_on_the_others(model):
    alone = np.concatenate([model.predict_proba(X[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(model.predict_proba(X[:300])[:5], alone, atol=1e-6)


def test_it_refuses_what_it_cannot_read():
    with pytest.raises(InvalidInput, match="image"):
        VisionTransformer().fit(X.reshape(-1, 64), Y)
    with pytest.raises(InvalidParameter, match="Give a multiple, such as width=128"):
        VisionTransformer(width=130, heads=4).fit(X, Y)
