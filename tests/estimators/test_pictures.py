"""Options of all estimators of pictures: augmentation while training, views while predicting."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from ganglion.algorithms.cnn import CNNClassifier, CNNRegressor
from ganglion.algorithms.segmentation_cnn import SegmentationCNN
from ganglion.checks.data import discs
from ganglion.errors import InvalidParameter
from ganglion.estimators.pictures import _views

X, Y = load_digits(return_X_y=True)
X = X.reshape(-1, 8, 8)
SMALL = {"channels": (8,), "hidden": (), "epochs": 3, "random_state": 0}


@pytest.mark.parametrize("name", ["flip", "shift", "turn"])
@pytest.mark.parametrize("sides", [(6, 6), (5, 8)])
def test_every_view_has_its_way_back(name, sides):
    image = torch.rand(2, 3, *sides)
    views = _views(name, *sides)
    assert len(views) == {"flip": 2, "shift": 6, "turn": 8 if sides[0] == sides[1] else 4}[name]
    for look, back in views:
        returned = back(look(image))
        inner = (..., slice(1, -1), slice(1, -1))  # what was moved over the edge is lost
        assert torch.equal(returned[inner], image[inner])
    assert len({look(image).sum(1).numpy().tobytes() for look, _ in views}) == len(views)


def test_predictions_over_views_are_the_mean_over_them():
    model = CNNClassifier(**SMALL).fit(X[:200], Y[:200])
    one, mirrored = model.decision_function(X[:20]), model.decision_function(X[:20, :, ::-1].copy())
    model.set_params(views="flip")
    np.testing.assert_allclose(model.decision_function(X[:20]), (one + mirrored) / 2, atol=1e-5)
    assert (model.predict(X[:20]) == model.classes_[model.predict_proba(X[:20]).argmax(1)]).all()


def test_masks_are_turned_back_before_they_are_averaged():
    images, masks = discs(n=40, sides=(12, 12))
    model = SegmentationCNN(channels=4, depth=1, epochs=30, random_state=0).fit(images[:30], masks[:30])
    turned = np.rot90(model.predict_proba(np.rot90(images[30:], axes=(1, 2)).copy()), axes=(3, 2))
    plain = model.predict_proba(images[30:])
    averaged = model.set_params(views="turn").predict_proba(images[30:])
    assert np.abs(averaged - plain).mean() < 2 * np.abs(turned - plain).mean() + 1e-6
    np.testing.assert_allclose(averaged.sum(1), 1, atol=1e-5)
    again = np.rot90(model.predict_proba(np.rot90(images[30:], axes=(1, 2)).copy()), axes=(3, 2))
    np.testing.assert_allclose(again, averaged, atol=1e-5)  # all turns together favour no direction


def test_augmentation_changes_what_is_learned_and_the_same_seed_learns_the_same():
    fits = [CNNClassifier(augmentation=text, **SMALL).fit(X[:200], Y[:200]) for text in ("none", "flip", "flip")]
    losses = [fit.history_["loss"] for fit in fits]
    assert losses[0] != losses[1]
    assert losses[1] == losses[2]


def test_held_out_pictures_are_not_changed():
    seen = []
    options = dict(SMALL, augmentation="erase(share=0.9, chance=1)", epochs=1, learning_rate=1e-9, optimizer="sgd")
    model = CNNClassifier(**options)
    model.fit(X[:200], Y[:200], validation=(X[200:400], Y[200:400]), callbacks=[lambda row, _: seen.append(row)])
    log_p = np.log(model.predict_proba(X[200:400]))[np.arange(200), Y[200:400]]
    assert seen[0]["validation_loss"] == pytest.approx(-log_p.mean(), rel=1e-4)


@pytest.mark.parametrize("text", ["mixup(alpha=1)", "cutmix(chance=1)", "flip + shift + randaugment + erase"])
def test_strong_augmentation_still_learns(text):
    model = CNNClassifier(channels=(8, 16), epochs=10, learning_rate=0.005, augmentation=text, random_state=0)
    model.fit(X[:1200], Y[:1200])
    assert model.score(X[1200:], Y[1200:]) > 0.8


def test_numbers_can_be_mixed_too():
    ink = X.mean((1, 2))
    model = CNNRegressor(channels=(8,), epochs=10, augmentation="mixup", random_state=0).fit(X[:600], ink[:600])
    assert model.score(X[600:], ink[600:]) > 0.5


@pytest.mark.parametrize(
    ("estimator", "data", "message"),
    [
        (CNNClassifier(augmentation="flip"), (X.reshape(-1, 64), Y), "X is a table"),
        (CNNClassifier(augmentation="crop(size=8)"), (X, Y), "crop makes pictures smaller"),
        (CNNClassifier(augmentation="flop"), (X, Y), "Did you mean 'flip'"),
        (SegmentationCNN(augmentation="mixup"), discs(n=10), "mix the targets of whole pictures"),
    ],
)
def test_what_does_not_fit_is_refused_before_training(estimator, data, message):
    with pytest.raises(InvalidParameter, match=message):
        estimator.fit(*data)
