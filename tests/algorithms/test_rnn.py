"""Recurrent networks for classes and numbers: texts, sequences and tables, files, packing, weights."""

import numpy as np
import pytest

import ganglion as gg
from ganglion.algorithms.rnn import RNNClassifier, RNNRegressor
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.spec import Spec
from ganglion.networks.recurrent import CELLS

SMALL = {"width": 8, "embedding": 8, "random_state": 0, "threads": 1}


def reviews(n: int = 80, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts whose class is told by one word, or by the "not" before it."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        word, turned = rng.choice(["good", "bad"]), rng.random() < 0.3
        around = rng.choice(["a", "the", "film", "of", "it"], rng.integers(1, 6)).tolist()
        texts.append(" ".join([*around[:2], *(["not"] if turned else []), word, *around[2:]]))
        labels.append("up" if (word == "good") != turned else "down")
    return texts, labels


def walks(n: int = 60, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Sequences of steps, and their sums."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(length, 2)) for length in rng.integers(2, 12, n)]
    return X, np.array([x[:, 0].sum() for x in X])


@pytest.mark.parametrize("cell", CELLS)
def test_classes_of_texts(cell):
    loose = {"weight_decay": 0.0, "dropout": 0.0, "batch_size": 50}  # what small data are guarded by
    model = RNNClassifier(cell=cell, epochs=30, learning_rate=0.03, **loose, **SMALL).fit(*reviews(200))
    texts, labels = reviews(100, seed=1)
    assert model.score(texts, labels) > 0.95
    assert model.predict(["a film not bad", "the film not good"]).tolist() == ["up", "down"]
    assert model.modality_ == "text"
    np.testing.assert_allclose(model.predict_proba(texts).sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("pooling", ["last", "max", "mean"])
def test_numbers_of_sequences(pooling):
    X, y = walks(200)
    model = RNNRegressor(pooling=pooling, epochs=60, learning_rate=0.01, **SMALL).fit(X, y)
    assert model.score(*walks(60, seed=1)) > (0.8 if pooling == "last" else 0.4)
    assert model.modality_ == "sequence"


def test_several_classes_of_sequences_and_several_labels():
    X, y = walks(120)
    three = np.digitize(y, [-1, 1])
    model = RNNClassifier(epochs=60, learning_rate=0.02, **SMALL).fit(X, three)
    assert model.score(X, three) > 0.9
    both = np.column_stack([y > 0, [len(x) > 6 for x in X]]).astype(int)
    labels = RNNClassifier(epochs=60, learning_rate=0.02, **SMALL).fit(X, both)
    assert labels.predict(X).shape == both.shape
    assert (labels.predict(X) == both).mean() > 0.9


def test_several_numbers_in_their_own_units():
    X, y = walks(120)
    both = np.column_stack([1e6 * y, [len(x) for x in X]])
    model = RNNRegressor(epochs=60, learning_rate=0.02, **SMALL).fit(X, both)
    assert model.predict(X).shape == both.shape
    assert model.score(X, both) > 0.8


def test_a_row_of_a_table_is_a_signal():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = np.abs(np.diff(X)).sum(1)  # depends on neighbours in the row
    model = RNNRegressor(epochs=150, learning_rate=0.03, batch_size=200, weight_decay=0.0, **SMALL).fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.modality_ == "table"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_order_neighbours_and_packing_change_no_answer(cell, bidirectional):
    X, y = walks(30)
    model = RNNRegressor(cell=cell, bidirectional=bidirectional, layers=2, epochs=2, **SMALL).fit(X, y)
    packed = RNNRegressor(cell=cell, bidirectional=bidirectional, layers=2, packing=True, **SMALL)
    packed.encoder_, packed.target_, packed.n_features_in_ = model.encoder_, model.target_, model.n_features_in_
    packed.network_ = packed.build(Spec(model.encoder_.spec, 1, model.target_.output()))
    packed.network_.cast(model.network_.dtype)
    packed.network_.load_state_dict(model.network_.state_dict())
    packed.network_.eval()
    expected = model.predict(X)
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = model.predict([X[i] for i in order])
    alone = [model.predict([x])[0] for x in X]
    np.testing.assert_allclose(shuffled, expected[order], rtol=0, atol=1e-6)
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(packed.predict(X), expected, rtol=0, atol=1e-6)


def test_packing_learns_the_same():
    X, y = walks(40)
    options = SMALL | {"epochs": 3, "precision": "float64", "batch_size": 8}
    plain, packed = (RNNRegressor(packing=packing, **options).fit(X, y) for packing in (False, True))
    np.testing.assert_allclose(packed.predict(X), plain.predict(X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["texts", "sequences"])
def test_a_file_brings_back_every_bit(kind, tmp_path):
    X, y = reviews() if kind == "texts" else walks()
    model = (RNNClassifier if kind == "texts" else RNNRegressor)(epochs=2, layers=2, **SMALL).fit(X, y)
    model.save(tmp_path / "model.ganglion")
    loaded = gg.load(tmp_path / "model.ganglion")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert str(loaded) == str(model)
    assert loaded.modality_ == model.modality_


def test_class_weights_count():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(4, 1)) for _ in range(60)]
    y = np.array(["a"] * 50 + ["b"] * 10)
    plain = RNNClassifier(epochs=40, learning_rate=0.03, **SMALL).fit(X, y)
    heavy = RNNClassifier(epochs=40, learning_rate=0.03, class_weight={"b": 100.0}, **SMALL).fit(X, y)
    assert (plain.predict(X) == "b").mean() < 0.2
    assert (heavy.predict(X) == "b").mean() > 0.8
    with pytest.raises(InvalidParameter, match="class_weight names"):
        RNNClassifier(class_weight={"z": 1.0}).fit(X, y)


def test_options_shape_the_network():
    X, y = walks(20)
    for options, n_weights in (({}, 2 * 4), ({"bidirectional": False}, 4), ({"layers": 3}, 3 * 2 * 4)):
        model = RNNRegressor(epochs=1, **options, **SMALL).fit(X, y)
        cells = [name for name, _ in model.network_.named_parameters() if "ahead" in name or "back" in name]
        assert len(cells) == n_weights
    widths = {
        kind: RNNRegressor(epochs=1, random_state=0).fit(X, y).network_.body[0].n_out
        for kind, (X, y) in {"texts": (reviews(20)[0], np.arange(20.0)), "numbers": walks(20)}.items()
    }
    assert widths == {"texts": 256, "numbers": 64}


def test_dropout_is_for_texts_unless_asked_for():
    assert RNNClassifier().fit(*reviews(20)).network_.body[1].dropout.p == 0.3
    X, y = walks(20)
    assert RNNRegressor(epochs=1).fit(X, y).network_.body[1].dropout.p == 0
    assert RNNRegressor(epochs=1, dropout=0.1).fit(X, y).network_.body[1].dropout.p == 0.1


def test_long_texts_are_cut_and_told():
    texts, labels = reviews(20)
    with pytest.warns(DataWarning, match="have more than 2 tokens"):
        model = RNNClassifier(max_length=2, epochs=1, **SMALL).fit(texts, labels)
    with pytest.warns(DataWarning, match="have more than 2 tokens"):
        answers = model.predict_proba(["good film of it", "good film bad bad"])
    np.testing.assert_array_equal(answers[0], answers[1])


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (["good good", ""], ["a", "b"], r"1 of 2 texts are empty \(row 1\)"),
        (["good good", "bad bad"], ["a", "a"], "one class only, 'a'"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], ["a", "b"], "steps of 2, 3 numbers"),
        (["good", "bad", "good"], ["a", "b"], "inconsistent numbers of samples"),
    ],
)
def test_bad_input_is_refused(X, y, words):
    with pytest.raises(InvalidInput, match=words):
        RNNClassifier().fit(X, y)


def test_a_model_of_texts_refuses_sequences_and_another_width():
    X, y = walks(20)
    model = RNNRegressor(epochs=1, **SMALL).fit(X, y)
    with pytest.raises(InvalidInput, match="steps of 2 numbers, but was given steps of 3"):
        model.predict([np.zeros((4, 3))])
    texts = RNNClassifier(epochs=1, **SMALL).fit(*reviews(20))
    with pytest.raises(InvalidInput):
        texts.predict(X)
