"""Pictures, texts, recordings and sequences: what is left out of them, against models whose values are known."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

import ganglion as gg
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.explanation.cut import Cut
from ganglion.explanation.explain import explain
from ganglion.explanation.samples import blurred, grouped, modality_of
from ganglion.explanation.superpixels import in_one_piece, superpixels, tiles

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 255, (24, 8, 8)).astype(np.uint8)
TEXTS = ["a lovely film", "what a dreadful film", "lovely lovely", "dreadful and long", "not a film", "a long one"] * 6


class Weighted(RegressorMixin, BaseEstimator):
    """A linear model of pictures."""

    weights = np.random.default_rng(1).normal(size=(8, 8))

    def predict(self, X):
        return (np.asarray(X, dtype=float) * self.weights).sum(axis=(1, 2))


@pytest.mark.parametrize("method", ["exact", "permutation", "kernel", "lime", "occlusion"])
def test_parts_of_a_picture_add_what_they_differ_from_the_blurred_one(method):
    found = explain(Weighted(), IMAGES[:2], method, parts=4)
    part = tiles(8, 8, 4)
    for each, picture in zip(found, IMAGES, strict=False):
        smooth = blurred(torch.from_numpy(picture)[None])[0].numpy()
        own = [((picture - smooth.astype(float)) * Weighted.weights)[part == k].sum() for k in range(4)]
        np.testing.assert_allclose(each.values, own, atol=1e-8 if method != "lime" else 0.1 * np.abs(own).max())
        assert each.features[3] == "rows 4–7, columns 4–7"
    assert all(each.gap < 0.05 for each in found)


def test_background_pictures_and_maps_of_parts():
    part = np.repeat([[3, 7]], 8, axis=0).repeat(4, axis=1)
    found = explain(Weighted(), IMAGES[:1], "exact", background=IMAGES[4:9], parts=part)
    mean = IMAGES[4:9].mean(axis=0)
    own = [((IMAGES[0] - mean) * Weighted.weights)[part == k].sum() for k in (3, 7)]
    np.testing.assert_allclose(found[0].values, own, atol=1e-8)
    with pytest.raises(InvalidParameter, match=r"parts has shape \(2, 2\)"):
        explain(Weighted(), IMAGES[:1], parts=np.zeros((2, 2), dtype=int))
    with pytest.raises(InvalidParameter, match="parts='many'"):
        explain(Weighted(), IMAGES[:1], parts="many")


def test_our_networks_of_pictures():
    model = gg.CNNClassifier(epochs=1, random_state=0).fit(IMAGES, np.arange(24) % 2)
    found = explain(model, IMAGES[:2], parts=6)
    np.testing.assert_allclose([each.prediction for each in found], model.predict_proba(IMAGES[:2]).max(1), atol=1e-5)
    assert found.gaps.max() < 1e-4
    assert found[0].drawn.picture.shape == (1, 8, 8)
    assert "<image" in found[0].plot().svg


def test_tiles_and_superpixels_cover_a_picture_in_whole_pieces():
    assert np.unique(tiles(30, 20, 6)).tolist() == [0, 1, 2, 3, 4, 5]
    assert (np.bincount(tiles(30, 20, 6).ravel()) == 100).all()
    picture = np.zeros((1, 60, 60))
    picture[0, 10:40, 20:50] = 9.0
    found = superpixels(picture, 12)
    assert 6 <= found.max() + 1 <= 14
    inside, outside = set(found[12:38, 22:48].ravel()), set(found[picture[0] == 0].ravel())
    assert not inside & outside  # no part lies across the edge
    labels = np.array([[0, 1, 0], [1, 1, 0], [2, 1, 0]])
    assert in_one_piece(labels).tolist() == [[1, 1, 0], [1, 1, 0], [2, 1, 0]]


def test_words_of_a_linear_model_count_what_they_weigh():
    y = np.array([1.0, -1.0, 2.0, -0.5, 0.0, 0.2] * 6)
    model = make_pipeline(CountVectorizer(token_pattern=r"\S+"), LinearRegression()).fit(TEXTS, y)
    weights = dict(zip(model[0].get_feature_names_out(), model[1].coef_, strict=True))
    for method in ("auto", "permutation", "occlusion"):
        (found,) = explain(model, ["a lovely  film"], method)
        assert found.features == ("a", "lovely", "film")
        np.testing.assert_allclose(found.values, [weights[word] for word in found.features], atol=1e-8)
    assert found.drawn == ("a ", "lovely  ", "film")
    assert "lovely" in found.plot().svg
    with pytest.raises(InvalidInput, match="no word"):
        explain(model, ["  "])


def test_our_networks_of_texts_leave_the_unknown_word():
    model = gg.TextCNN(maps=4, embedding=4, epochs=2, max_length=300, random_state=0).fit(TEXTS, np.arange(36) % 2)
    found = explain(model, ["a lovely film, what", "dreadful"], "occlusion")
    assert found[0].features == ("a", "lovely", "film,", "what")
    replaced = model.predict_proba(["a zyzzyva film, what"])[0]
    whole = model.predict_proba(["a lovely film, what"])[0]
    np.testing.assert_allclose(found[0].effects[1], whole - replaced, atol=1e-6)
    long = explain(model, [" ".join(["lovely film"] * 40)], parts=5)[0]
    assert len(long) == 5
    assert long.gap < 1e-5


def test_places_are_grouped_evenly():
    assert grouped(np.arange(3), 5).tolist() == [0, 1, 2]
    assert grouped(np.arange(6), 3).tolist() == [0, 0, 1, 1, 2, 2]
    assert grouped(np.array([0, 0, 1, 2, 3]), 2).tolist() == [0, 0, 0, 1, 1]


def test_recordings_are_silenced_in_stretches():
    rng = np.random.default_rng(0)
    X = [(4000, rng.normal(size=4000).astype(np.float32) * 0.1) for _ in range(12)]
    model = gg.CNNClassifier(epochs=1, random_state=0).fit(X, np.arange(12) % 2)
    (found,) = explain(model, X[:1], parts=4)
    assert found.features[1] == "0.25–0.50 s"
    assert found.gap < 1e-4
    quiet = (4000, np.where(np.arange(4000) // 1000 == 1, 0, X[0][1]).astype(np.float32))
    (one,) = explain(model, X[:1], "occlusion", parts=4)
    lost = model.predict_proba(X[:1]) - model.predict_proba([quiet])
    np.testing.assert_allclose(one.effects[1], lost[0], atol=1e-5)
    with pytest.raises(InvalidParameter, match="sound is silent"):
        explain(model, X[:1], background=X)


def test_sequences_are_cut_by_number_and_stretch():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in (9, 12, 8, 10, 11, 9, 8, 12)]
    model = gg.RNNRegressor(width=4, epochs=1, random_state=0).fit(X, np.arange(8.0))
    (found,) = explain(model, X[:1], parts=6)
    assert found.features[1:4] == ("number 0, steps 3–5", "number 0, steps 6–8", "number 1, steps 0–2")
    without = X[0].copy()
    without[3:6, 1] = X[0][:, 1].mean()
    (one,) = explain(model, X[:1], "occlusion", parts=6)
    assert one.values[4] == pytest.approx(model.predict(X[:1])[0] - model.predict([without])[0], abs=1e-5)
    other = explain(model, X[:1], background=X, parts=6)
    assert "over the background" in other[0].how


def test_what_stays_as_it_is_cannot_be_left_out():
    values, part = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, -1, 1])
    names, filling = ["a", "b"], torch.zeros(1, 3)
    cut = Cut(lambda mixed: mixed.double().numpy(), values, filling, part, names, modality="text", replaced="")
    kept = np.array([[False, False], [True, False]])
    np.testing.assert_array_equal(cut.mixed(np.zeros(2), np.zeros(2, dtype=int), kept), [[0, 2, 0], [1, 2, 0]])
    assert cut.differs(slice(0, 1)).all()


def test_refusals():
    model = gg.Forecaster(horizon=2, window=4, epochs=1)
    with pytest.raises(InvalidInput, match="not fitted"):
        explain(model, IMAGES)
    with pytest.raises(InvalidParameter, match="rows of a table are not cut"):
        explain(LinearRegression().fit(np.eye(4), np.arange(4)), np.eye(4), background=np.eye(4), parts=3)
    assert modality_of(LinearRegression(), ["a b"]) == "text"
    assert modality_of(ClassifierMixin(), IMAGES) == "image"
