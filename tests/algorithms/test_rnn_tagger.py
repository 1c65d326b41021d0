"""Recurrent taggers: words and steps in, a label for each out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import ganglion as gg
from ganglion.algorithms.rnn_tagger import RNNTagger
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter
from ganglion.networks.recurrent import CELLS

QUICK = {"width": 16, "embedding": 16, "epochs": 30, "learning_rate": 0.02, "random_state": 0, "threads": 1}
VERBS, NOUNS = ("runs", "eats", "sleeps", "calls"), ("cat", "dog", "bird", "mouse")


def corpus(n: int = 60, seed: int = 0) -> tuple[list[list[str]], list[list[str]]]:
    """Sentences of which some words are nouns or verbs by their neighbours alone."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        noun, verb = rng.choice(NOUNS), rng.choice(VERBS)
        if rng.random() < 0.5:
            X.append(["the", noun, verb, "."])
            y.append(["at", "nn", "vb", "."])
        else:
            X.append(["the", "big", verb, "of", "a", noun])
            y.append(["at", "jj", "nn", "in", "at", "nn"])
    return X, y


@pytest.fixture(scope="module")
def tagger():
    return RNNTagger(**QUICK).fit(*corpus())


@pytest.mark.parametrize("cell", CELLS)
def test_words_are_told_by_their_neighbours(cell):
    X, y = corpus(seed=1)
    model = RNNTagger(cell=cell, **QUICK).fit(*corpus())
    assert model.score(X, y) == 1
    assert model.predict([["the", "runs"], ["the", "big", "runs", "of", "a", "dog"]])[1] == y_of_a_noun()


def y_of_a_noun() -> list[str]:
    return ["at", "jj", "nn", "in", "at", "nn"]


def test_one_way_networks_cannot_see_what_comes():
    ambiguous = [["runs", "a"], ["runs", "b"]] * 20
    labels = [["nn", "x"], ["vb", "x"]] * 20
    both = RNNTagger(**QUICK).fit(ambiguous, labels)
    ahead = RNNTagger(bidirectional=False, **QUICK).fit(ambiguous, labels)
    assert both.score(ambiguous, labels) == 1
    assert ahead.score(ambiguous, labels) == 0.75


def test_endings_tell_words_never_seen():
    stems = [f"{a}{b}" for a in "bdfgk" for b in "aeiou"]
    X = [[stem + "ing", stem + "ness"] for stem in stems] * 2
    model = RNNTagger(**QUICK).fit(X, [["vbg", "nn"]] * len(X))
    shares = model.predict_proba([["walking", "walkness"], ["walkness"]])
    assert shares[0][0].argmax() == 1
    assert shares[0][1].argmax() == 0


def test_answers_have_the_lengths_of_the_texts(tagger):
    X, _ = corpus(7, seed=2)
    said, shares = tagger.predict(X), tagger.predict_proba(X)
    assert said.dtype == object
    assert [len(row) for row in said] == [len(row) for row in X]
    assert [each.shape for each in shares] == [(len(row), len(tagger.classes_)) for row in X]
    for labels, each in zip(said, shares, strict=True):
        np.testing.assert_allclose(each.sum(1), 1, rtol=1e-6)
        assert labels == tagger.classes_[each.argmax(1)].tolist()


def test_texts_are_cut_at_blanks_and_so_is_a_column(tagger):
    X, _ = corpus(5, seed=2)
    texts = [" ".join(row) for row in X]
    expected = tagger.predict(X).tolist()
    assert tagger.predict(texts).tolist() == expected
    assert tagger.predict({"anything": texts * 3}).tolist() == expected * 3


def test_neighbours_order_and_packing_change_nothing(tagger):
    X, _ = corpus(20, seed=3)
    expected = tagger.predict_proba(X)
    backwards = tagger.predict_proba(X[::-1])[::-1]
    packed = RNNTagger(**QUICK, packing=True)
    packed.encoder_, packed.target_, packed.n_features_in_ = tagger.encoder_, tagger.target_, 1
    packed.network_ = packed.build(gg.estimators.spec.Spec(tagger.encoder_.spec, 6, tagger.target_.output()))
    packed.network_.load_state_dict(tagger.network_.state_dict())
    packed.network_.eval()
    alone = [tagger.predict_proba([row])[0] for row in X]
    for others in (backwards, packed.predict_proba(X), alone):
        for one, other in zip(expected, others, strict=True):
            np.testing.assert_allclose(other, one, atol=1e-6)


def test_the_loss_is_the_sum_over_words_by_the_usual_length(tagger):
    torch.manual_seed(0)
    scores, codes = torch.randn(3, 4, 6), torch.tensor([[0, 5, 2, -1], [1, -2, -1, -1], [3, 3, 4, 2]])
    found = tagger._per_sample_loss()(scores, codes)
    for row, kept in enumerate(([0, 1, 2], [0], [0, 1, 2, 3])):
        by_hand = sum(F.cross_entropy(scores[row, t], codes[row, t]) for t in kept) / tagger.target_.per_sample
        assert float(found[row]) == pytest.approx(float(by_hand), rel=1e-5)


def test_a_weight_of_two_is_a_second_copy():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in (5, 3, 7, 4, 6, 2)]
    y = [(x[:, 0] > 0).tolist() for x in X]
    exact = {"epochs": 5, "batch_size": 100, "precision": "float64", "random_state": 0, "weight_decay": 0.0}
    twice = RNNTagger(**exact).fit(X + X[:2], y + y[:2])
    weighted = RNNTagger(**exact).fit(X, y, sample_weight=[2, 2, 1, 1, 1, 1])
    for one, other in zip(twice.predict_proba(X), weighted.predict_proba(X), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


def test_heavy_labels_are_answered_more_often():
    rng = np.random.default_rng(0)
    X = [["word"] * 4 for _ in range(40)]
    y = [rng.choice(["a", "b"], 4, p=[0.8, 0.2]).tolist() for _ in range(40)]
    plain = RNNTagger(**QUICK | {"epochs": 5}).fit(X, y)
    heavy = RNNTagger(**QUICK | {"epochs": 5}, class_weight={"b": 20.0}).fit(X, y)
    assert {label for row in plain.predict(X) for label in row} == {"a"}
    assert {label for row in heavy.predict(X) for label in row} == {"b"}
    with pytest.raises(InvalidParameter, match=r"class_weight names .'z'.*a label that no word has: 'a', 'b'"):
        RNNTagger(class_weight={"z": 1.0}).fit(X, y)
    with pytest.raises(InvalidParameter, match="each weight is a number above 0"):
        RNNTagger(class_weight={"a": -1.0}).fit(X, y)


def test_steps_of_numbers():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, 2)) for length in rng.integers(2, 9, 80)]
    y = [(np.diff(x[:, 0], prepend=0) > 0).astype(int) for x in X]
    model = RNNTagger(epochs=60, learning_rate=0.01, random_state=0, threads=1).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.classes_.tolist() == [0, 1]
    assert model.modality_ == "sequence"
    assert type(model.predict(X)[0][0]) is int
    flat = RNNTagger(epochs=2, random_state=0).fit(np.zeros((4, 3)), [["a", "b", "a"]] * 4)
    assert [len(row) for row in flat.predict(np.ones((2, 3)))] == [3, 3]


def test_a_file_brings_back_every_bit(tagger, tmp_path):
    X, _ = corpus(9, seed=4)
    tagger.save(tmp_path / "tagger.ganglion")
    loaded = gg.load(tmp_path / "tagger.ganglion")
    assert loaded.predict(X).tolist() == tagger.predict(X).tolist()
    for one, other in zip(loaded.predict_proba(X), tagger.predict_proba(X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert b"A label for every word or step: ., at, in, jj, nn, vb." in (tmp_path / "tagger.ganglion").read_bytes()


def test_no_word_of_a_single_text_is_in_the_file(tmp_path):
    X, y = corpus(30)
    X[3], y[3] = ["zyzzyva-7741", *X[3]], ["nn", *y[3]]
    RNNTagger(**QUICK | {"epochs": 1}).fit(X, y).save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    assert not [part for part in (b"zyzz", b"yva", b"7741") if part in content]


def test_score_counts_words_and_weights(tagger):
    X = [["the", "cat", "runs", "."], ["the", "dog", "eats", "."]]
    said = tagger.predict(X).tolist()
    y = [said[0], ["?", *said[1][1:]]]
    assert tagger.score(X, y) == 7 / 8
    assert tagger.score(X, y, sample_weight=[1, 3]) == (4 + 9) / 16


def test_held_out_texts_with_new_labels_are_told():
    X, y = corpus(30)
    held_out, other = [["one", *row] for row in X[:5]], [["zz", *y[0]], *(["at", *row] for row in y[1:5])]
    with pytest.warns(DataWarning, match=r"labels that no training text has.*'zz', 1 words"):
        model = RNNTagger(**QUICK | {"epochs": 2}).fit(X, y, validation=(held_out, other))
    assert all(np.isfinite(row["validation_loss"]) for row in model.history_.rows)
    strange = [["zz"] * len(row) for row in y[:5]]
    with pytest.raises(InvalidInput, match=r"validation: y holds the labels 'zz'.*Is this the target"):
        RNNTagger(**QUICK).fit(X, y, validation=(X[:5], strange))


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        ([["a", "b"], ["c"]], [["x", "y"], ["x", "y"]], "row 1 has 1 words or steps, but 2 labels"),
        ([["a", "b"], []], [["x", "y"], []], r"1 of 2 sentences are empty \(row 1\)"),
        (["a b", ""], [["x", "y"], []], r"1 of 2 sentences are empty \(row 1\)"),
        ([["a", "b"], ["c"]], [["x", "x"], ["x"]], "one class only, 'x'"),
        ([["a", "b"], ["c"]], [["x", None], ["x"]], "the label of word or step 1 in row 0 is missing"),
        ([["a", "b"], ["c"]], None, "y is NoneType"),
        ([["a", "b"], ["c"]], ["x", "y"], "row 0 of y is 'x', and no list of labels"),
        ([], [], "minimum of 1 is required"),
        ([["a", "b"], ["c"]], [["x", "y"]], r"inconsistent numbers of samples: \[2, 1\]"),
    ],
)
def test_bad_input_is_refused(X, y, words):
    with pytest.raises(InvalidInput, match=words):
        RNNTagger().fit(X, y)


def test_a_table_is_refused():
    with pytest.raises(InvalidInput, match="reads texts and sequences of numbers, but a table"):
        RNNTagger().fit({"a": [1.0, 2.0], "b": [3.0, 4.0]}, [["x"], ["y"]])
