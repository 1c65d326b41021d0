"""The U-Net as an estimator."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import cross_val_score

import ganglion as gg
from ganglion.checks.data import discs
from ganglion.errors import InvalidInput, InvalidModel, InvalidParameter
from ganglion.networks import work
from ganglion.storage import read_model, write_model

X, Y = discs(n=60, sides=(22, 18))
X_NEW, Y_NEW = (part[60:] for part in discs(n=90, sides=(22, 18)))

ROUNDING = 5e-6


def quick(**options):
    return gg.SegmentationCNN(**{"channels": 8, "epochs": 2, "random_state": 0, **options})


@pytest.fixture(scope="module")
def model():
    return quick(epochs=40, learning_rate=0.006).fit(X, Y)


def test_it_finds_discs_on_noise(model):
    assert model.score(X_NEW, Y_NEW) > 0.95
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    shares = model.predict_proba(X_NEW)
    assert shares.shape == (30, 3, 22, 18)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X_NEW), shares.argmax(1))


@pytest.mark.parametrize("sides", [(9, 9), (31, 18), (40, 57)])
def test_it_answers_images_of_other_sizes(model, sides):
    images, masks = discs(n=8, sides=sides)
    assert model.predict(images).shape == masks.shape
    assert model.score(images, masks) > 0.9


@pytest.mark.parametrize(
    "options",
    [
        {"residual": True, "loss": "focal"},
        {"loss": "dice", "activation": "gelu", "epochs": 40, "learning_rate": 0.01},
        {"loss": "cross_entropy(label_smoothing=0.01)", "normalization": None, "epochs": 80, "learning_rate": 0.003},
        {"loss": lambda scores, codes: torch.nn.functional.cross_entropy(scores, codes), "dropout": 0.2, "depth": 1},
    ],
)
def test_options(options):
    assert quick(**{"epochs": 20, "learning_rate": 0.02, **options}).fit(X, Y).score(X_NEW, Y_NEW) > 0.9


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)), st.integers(1, 12))
def test_an_answer_does_not_depend_on_the_images_beside_it(model, order, n):
    rows = list(order)[:n]
    together = model.predict_proba(X[:12])
    np.testing.assert_allclose(model.predict_proba(X[list(order)]), together[list(order)], rtol=0, atol=1e-6)
    # a batch of another size has sums in another order: this is what float32 leaves of them
    np.testing.assert_allclose(model.predict_proba(X[rows]), together[rows], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("together", [1, 7])
def test_only_so_many_images_go_through_the_network_at_once(model, monkeypatch, together):
    expected, codes = model.predict_proba(X_NEW), model.predict(X_NEW)
    monkeypatch.setattr(work, "IMAGE_BYTES", together * 4 * 22 * 18 * 32)  # 32 channels at the end of the way down
    sizes = []
    hook = model.network_.body.register_forward_hook(lambda module, given, output: sizes.append(len(given[0])))
    np.testing.assert_allclose(model.predict_proba(X_NEW), expected, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(model.predict(X_NEW), codes)
    hook.remove()
    assert max(sizes) == together
    assert sum(sizes) == 60


def test_held_out_images_are_measured_in_pieces(monkeypatch):
    whole = quick(validation_fraction=0.3).fit(X, Y)
    monkeypatch.setattr(work, "IMAGE_BYTES", 1)
    pieces = quick(validation_fraction=0.3).fit(X, Y)
    for name in ("validation_loss", "validation_score"):
        found, expected = ([row[name] for row in each.history_.rows] for each in (pieces, whole))
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_score_of_the_history_is_pixel_accuracy():
    fitted = quick(precision="float32").fit(X, Y, validation=(X_NEW, Y_NEW))
    best = fitted.history_.rows[fitted.history_.best_epoch - 1]
    np.testing.assert_allclose(best["validation_score"], (fitted.predict(X_NEW) == Y_NEW).mean(), rtol=1e-6)


def test_held_out_images_may_have_another_size():
    images, masks = discs(n=6, sides=(12, 31))
    assert len(quick().fit(X, Y, validation=(images, masks)).history_) == 2
    with pytest.raises(InvalidInput, match="validation: the masks fit no image"):
        quick().fit(X, Y, validation=(images, masks[:, :-1]))


@pytest.mark.parametrize("values", [[3, 7, 200], [0, 500, 1000]])
def test_classes_are_answered_as_they_were_given(values):
    classes, options = np.array(values), {"epochs": 3, "learning_rate": 0.02}
    fitted, plain = quick(**options).fit(X, classes[Y]), quick(**options).fit(X, Y)
    np.testing.assert_array_equal(fitted.classes_, classes)
    assert len(np.unique(fitted.predict(X))) > 1
    np.testing.assert_array_equal(fitted.predict(X), classes[plain.predict(X)])


def test_masks_are_changed_with_their_images():
    found = [
        quick(epochs=20, learning_rate=0.02, augmentation=text).fit(X, Y).score(X_NEW, Y_NEW)
        for text in ("flip(vertical=True) + affine", "crop(size=16)", "none")
    ]
    assert min(found) > 0.85
    with pytest.raises(InvalidParameter, match="mixup and cutmix mix the targets of whole pictures"):
        quick(augmentation="mixup").fit(X, Y)


def test_truth_values_and_lists_of_masks():
    fitted = quick().fit(X, list(Y > 0))
    assert fitted.predict(X).dtype == np.bool_
    assert fitted.predict_proba(X).shape == (60, 2, 22, 18)


def test_weights_count_images():
    half = np.arange(60) < 30
    other = np.where(half[:, None, None], Y, 0)  # what is in the second half is not to be learned
    heavy = quick(epochs=20, learning_rate=0.02).fit(X, other, sample_weight=np.where(half, 1.0, 1e-6))
    assert heavy.score(X_NEW, Y_NEW) > 0.85
    assert heavy.score(X, other, sample_weight=half) > 0.85 > heavy.score(X, other, sample_weight=~half)


def test_cross_validation():
    assert cross_val_score(quick(epochs=20, learning_rate=0.02), X, Y, cv=2).min() > 0.9


def test_feature_maps_go_down_and_up(model):
    maps = model.feature_maps(X[:3])
    assert [each.shape[1:] for each in maps] == [(8, 24, 20), (16, 12, 10), (32, 6, 5), (16, 12, 10), (8, 24, 20)]


def test_depth_follows_the_size():
    def depth(side, **options):
        images = np.random.default_rng(0).normal(size=(2, side, side))
        fitted = quick(channels=1, epochs=1, **options).fit(images, images > 0)
        return len(fitted.network_.body.down) - 1

    assert [depth(side) for side in (2, 7, 8, 16, 31, 32, 64, 300)] == [1, 1, 1, 2, 2, 3, 4, 4]
    assert depth(16, depth=3) == 3
    with pytest.raises(InvalidParameter, match=r"depth=4.* 16 pixels cannot be halved so often. Give at most 3"):
        depth(16, depth=4)


def test_steps_follow_the_size():
    rng = np.random.default_rng(0)
    for sides, batch_size in (((8, 8), 16), ((256, 300), 3), ((600, 600), 1)):
        images = rng.normal(size=(20 if sides[0] < 100 else 4, *sides))
        fitted = quick(channels=1, epochs=1, depth=1).fit(images, images > 0)
        assert fitted.history_.execution["batch_size"] == batch_size
    crops = quick(channels=1, epochs=1, depth=1, augmentation="crop(size=300)").fit(images, images > 0)
    assert crops.history_.execution["batch_size"] == 2


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        (X.reshape(60, -1), Y, "SegmentationCNN reads images, but a table of columns x was given"),
        (X[:, 0], Y, "SegmentationCNN reads images"),
        (X, Y[:, :-1], "the masks fit no image: they have 21 × 18 pixels, the images 22 × 18"),
        (X, Y / 2, "numbers with fractions"),
        (X, Y[:, 0, 0], "one label an image take CNNClassifier"),
        (X, Y[:-1], r"\[60, 59\]"),
        (X, np.zeros_like(Y), "one class only, 0"),
        (X, Y.astype(int) - 1, "mask 0 holds negative numbers"),
        (X, None, "needs masks"),
    ],
)
def test_bad_data_are_refused(images, masks, words):
    estimator = quick()
    with pytest.raises(InvalidInput, match=words):
        estimator.fit(images, masks)
    assert not hasattr(estimator, "network_")


def test_bad_data_are_refused_at_prediction(model):
    colour = np.stack([X, X, X], -1)
    with pytest.raises(InvalidInput, match=r"\(3, 22, 18\), but the model was trained on \(1, 22, 18\). Give as many"):
        model.predict(colour)
    with pytest.raises(InvalidInput, match=r"the classes \[9\], which are not among"):
        model.score(X, np.full_like(Y, 9))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": "mse"}, "Known: cross_entropy, dice, dice_cross_entropy, focal"),
        ({"loss": "dice_cross_entropy(dice=-1)"}, "at least 0"),
        ({"depth": 0}, "depth"),
        ({"depth": 9}, "depth"),
        ({"channels": 0}, "channels"),
        ({"activation": "rely"}, "relu"),
        ({"normalization": "layer"}, "normalization"),
    ],
)
def test_options_outside_their_limits_are_refused(options, words):
    with pytest.raises(InvalidParameter, match=words):
        quick(**options).fit(X, Y)


def test_a_file_brings_it_back_and_a_damaged_one_is_refused(model, tmp_path):
    path = tmp_path / "model.ganglion"
    model.save(path)
    loaded = gg.load(path)
    large, _ = discs(n=3, sides=(33, 40))
    np.testing.assert_array_equal(loaded.predict_proba(large), model.predict_proba(large))
    np.testing.assert_array_equal(loaded.classes_, model.classes_, strict=True)
    manifest, tensors = read_model(path)
    damaged = [
        manifest | {"target": manifest["target"] | {"classes": [0, 1]}},
        manifest | {"target": {"kind": "masks"}},
        manifest | {"encoder": manifest["encoder"] | {"shape": [3, 22, 18]}, "n_features": 3 * 22 * 18},
        manifest | {"encoder": manifest["encoder"] | {"any_size": False}},
        manifest | {"encoder": manifest["encoder"] | {"any_size": 1}},
        manifest | {"options": manifest["options"] | {"depth": 3}},
        manifest | {"options": manifest["options"] | {"depth": 10**9}},
        manifest | {"options": manifest["options"] | {"channels": 10**9}},
    ]
    for each in damaged:
        write_model(path, each, tensors, "")
        with pytest.raises(InvalidModel):
            gg.load(path)


def test_masks_and_images_larger_than_memory_give_the_same_model(tmp_path, monkeypatch):
    expected = quick(batch_size=4).fit(X.astype(np.float32), Y)
    np.save(tmp_path / "x.npy", X.astype(np.float32))
    np.save(tmp_path / "y.npy", Y)
    images, masks = (np.load(tmp_path / name, mmap_mode="r") for name in ("x.npy", "y.npy"))
    monkeypatch.setenv("GANGLION_MEMORY", "0.15")  # megabytes; an eighth is less than the masks
    stored = quick(batch_size=4).fit(images, masks)
    for name, tensor in stored.network_.state_dict().items():
        np.testing.assert_array_equal(tensor, expected.network_.state_dict()[name], err_msg=name)
    np.testing.assert_array_equal(stored.predict(images), expected.predict(X.astype(np.float32)))


def test_it_is_chosen_for_masks():
    chosen = gg.select(X, Y)
    assert (chosen.name, chosen.task.kind) == ("SegmentationCNN", "segmentation")
