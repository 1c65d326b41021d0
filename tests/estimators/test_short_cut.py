"""What needs no reading is taken as it is: the same answers, and what does need it is read."""

import numpy as np
import pytest
import torch

from ganglion.algorithms.cnn import CNNClassifier
from ganglion.errors import InvalidInput
from ganglion.estimators.reading import plain_columns

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (24, 6, 6), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (24, 3, 6, 6), dtype=np.uint8)
Y = np.arange(24) % 2
QUICK = {"channels": (2,), "hidden": (), "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module", params=["grey", "colour"])
def trained(request):
    X = GREY if request.param == "grey" else COLOUR
    return CNNClassifier(**QUICK).fit(X, Y), X


def test_pictures_in_bytes_are_taken_as_they_are_and_answered_as_if_read(trained):
    model, X = trained
    taken = plain_columns(model, X[:3])
    assert taken is not None
    read = model.encoder_.encode(model._dataset(X[:3], reset=False))
    assert torch.equal(taken["image"], read["image"])
    assert taken["image"].data_ptr() == X.ctypes.data
    listed = list(X[:3])  # is read
    assert plain_columns(model, listed) is None
    frozen = X[:3].copy()
    frozen.flags.writeable = False
    for same in (listed, frozen):
        np.testing.assert_array_equal(model.predict_proba(X[:3]), model.predict_proba(same))


def test_pictures_of_other_forms_are_read(trained):
    model, X = trained
    others = [X.astype(np.float32), X[:0], X[:, ..., ::-1], np.moveaxis(X, -1, 1), list(X), X[..., :5]]
    assert [plain_columns(model, each) for each in others] == [None] * 6
    with pytest.raises(InvalidInput, match="shape"):
        model.predict(np.ascontiguousarray(X[..., :5]))


def test_an_order_of_axes_that_is_not_clear_is_looked_at():
    small = RNG.integers(0, 256, (24, 4, 4), dtype=np.uint8)
    model = CNNClassifier(**QUICK).fit(small, Y)
    assert plain_columns(model, small) is None
