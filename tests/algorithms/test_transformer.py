"""Transformers for texts and sequences: what they learn, what they look at, and where places end."""

import numpy as np
import pytest

from ganglion.algorithms.transformer import TransformerClassifier, TransformerRegressor
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.estimators.artifact import load


def orders(n=160, seed=0):
    """Return texts in which one word stands before or behind another: as bags they are alike."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for i in range(n):
        words = ["blank"] * int(rng.integers(1, 5))
        first, second = sorted(rng.choice(len(words) + 1, 2))
        pair = ["cat", "dog"] if i % 2 else ["dog", "cat"]
        words.insert(first, pair[0])
        words.insert(second + 1, pair[1])
        texts.append(" ".join(words))
        labels.append("cat" if i % 2 else "dog")
    return texts, labels


def quick(**options):
    return TransformerClassifier(
        **{"width": 16, "heads": 2, "epochs": 15, "batch_size": 16, "learning_rate": 0.01, "random_state": 0} | options
    )


@pytest.mark.parametrize(("positions", "pooling"), [("sinusoidal", "mean"), ("learned", "token"), ("rotary", "mean")])
def test_it_learns_the_order_of_words(positions, pooling, tmp_path):
    model = quick(positions=positions, pooling=pooling, dropout=0.0).fit(*orders())
    texts, labels = orders(60, seed=1)
    assert model.score(texts, labels) > 0.9
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict_proba(texts), model.predict_proba(texts))


@pytest.mark.parametrize("pooling", ["mean", "token"])
def test_attention_is_of_the_texts_own_tokens(pooling):
    model = quick(epochs=2, pooling=pooling, layers=3).fit(*orders(40))
    texts = ["cat", "cat blank dog blank", "dog cat"]
    looked, alone = model.attention(texts), [model.attention([text])[0] for text in texts]
    extra = pooling == "token"
    assert [each.shape for each in looked] == [(3, 2, t + extra, t + extra) for t in (1, 4, 2)]
    for together, single in zip(looked, alone, strict=True):
        np.testing.assert_allclose(together, single, atol=1e-6)  # nothing of it went to filling
        np.testing.assert_allclose(together.sum(-1), 1, atol=1e-6)
        assert together.std() > 0 or together.shape[-1] == 1


def test_attention_of_a_table_looks_at_its_columns():
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = TransformerRegressor(epochs=1, random_state=0).fit(X, X[:, 0] * X[:, 1])
    assert np.shape(model.attention(X)) == (30, 2, 4, 3, 3)


def test_texts_longer_than_the_places_are_cut_with_a_warning():
    texts, labels = orders(40)
    with pytest.warns(DataWarning, match=r"texts have more than 4 tokens .*what stands beyond is not read"):
        model = quick(positions="learned", max_length=4, epochs=2).fit(texts, labels)
    with pytest.warns(DataWarning, match=r"1 of 2 texts have more than 4 tokens \(the longest 6\)"):
        answers = model.predict_proba(["cat blank blank dog dog dog", "cat"])
    np.testing.assert_allclose(answers[:1], model.predict_proba(["cat blank blank dog"]), atol=1e-6)


def test_sequences_longer_than_learned_places_are_refused():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(t, 2)) for t in (3, 5, 4) * 8]
    y = np.array([each.sum() for each in series])
    longer, words = [np.zeros((6, 2)), np.zeros((2, 2))], "6 steps was given, but vectors of places were learned for 5"
    learned = TransformerRegressor(positions="learned", epochs=1, random_state=0)
    with pytest.raises(InvalidInput, match=f"{words}.*positions='sinusoidal' or 'rotary'"):
        learned.fit(series, y).predict(longer)
    with pytest.raises(InvalidInput, match=words):
        learned.fit(series, y, validation=(longer, [0.0, 1.0]))
    endless = TransformerRegressor(positions="rotary", epochs=1, random_state=0).fit(series, y)
    assert endless.predict(longer).shape == (2,)


def test_heads_share_the_width():
    texts, labels = orders(20)
    with pytest.raises(InvalidParameter, match=r"width=10, heads=4.*a multiple of 4, such as width=8"):
        quick(width=10, heads=4).fit(texts, labels)
    with pytest.raises(InvalidParameter, match=r"of an even number. Give a multiple of 8, such as width=16"):
        quick(width=12, heads=4, positions="rotary").fit(texts, labels)


def test_several_numbers_from_texts():
    texts, _ = orders(120)
    counts = np.array([[text.count("blank"), len(text.split())] for text in texts], dtype=float)
    model = TransformerRegressor(
        width=16, epochs=12, batch_size=16, learning_rate=0.01, dropout=0.0, random_state=0
    ).fit(texts, counts)
    assert model.score(texts, counts) > 0.8
