"""Translators: toy languages that must be learned, answers that must agree, and what is refused."""

import numpy as np
import pytest
import sacrebleu
import torch

from ganglion.algorithms.translator import Translator
from ganglion.data.text_encoding import TextEncoder
from ganglion.errors import DataWarning, InvalidInput, InvalidParameter, UnsupportedType
from ganglion.estimators.alignment import of_words
from ganglion.estimators.answers import TextTarget, ended
from ganglion.estimators.artifact import load
from ganglion.estimators.text_to_text import token_losses

LETTERS = list("abcdefgh")


def reversals(n, seed=0):
    rng = np.random.default_rng(seed)
    X = [" ".join(rng.choice(LETTERS, rng.integers(2, 5), replace=False)) for _ in range(n)]
    return X, [" ".join(reversed(x.split())) for x in X]


def small(**options):
    given = {
        "tokenizer": "words(min_count=1, lowercase=False)",
        "width": 32,
        "layers": 1,
        "heads": 2,
        "dropout": 0.0,
        "epochs": 2,
    }
    given |= {"learning_rate": 1e-2, "batch_size": 32, "random_state": 0, "beams": 2}
    return Translator(**{**given, **options})


@pytest.fixture(scope="module")
def reverser():
    return small(epochs=25, batch_size=16, learning_rate=5e-3).fit(*reversals(700))


@pytest.fixture(scope="module")
def recurrent():
    return small(network="gru", epochs=3).fit(*reversals(60))


def test_it_learns_to_reverse(reverser):
    X, y = reversals(100, seed=1)
    assert np.mean(reverser.predict(X) == np.array(y, dtype=object)) >= 0.9
    assert reverser.reply("a b c d") == "d c b a"


def test_the_picture_of_a_reversal_runs_from_corner_to_corner(reverser):
    (looked,) = reverser.attention(["a b c d"])
    assert looked.source == tuple("abcd")
    assert looked.answer == tuple("dcba")
    np.testing.assert_allclose(looked.weights.sum(1), 1, rtol=1e-5)
    assert "<svg" in looked.plot().svg


def test_recurrent_attention_finds_the_letter_that_is_said():
    X, y = reversals(300)
    model = small(network="gru", epochs=20, batch_size=20, learning_rate=0.02).fit(X, y)
    assert np.mean(model.predict(X[:50]) == np.array(y[:50], dtype=object)) >= 0.9
    hits = [
        looked.source[row.argmax()] == word
        for looked in model.attention(X[:50])
        for word, row in zip(looked.answer, looked.weights, strict=True)
    ]
    assert np.mean(hits) > 0.8


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("kind", ["reverser", "recurrent"])
def test_answers_do_not_depend_on_their_batch(request, kind, beams):
    model, (X, _) = request.getfixturevalue(kind), reversals(40, seed=2)
    model.set_params(beams=beams)
    together = model.predict(X)
    assert together.tolist() == [model.reply(x) for x in X]
    assert together[::-1].tolist() == model.predict(X[::-1]).tolist()


@pytest.mark.parametrize("kind", ["reverser", "recurrent"])
def test_a_model_file_answers_alike(request, kind, tmp_path):
    model, (X, y) = request.getfixturevalue(kind), reversals(20, seed=3)
    model.save(tmp_path / "model.ganglion")
    again = load(tmp_path / "model.ganglion")
    assert again.predict(X).tolist() == model.predict(X).tolist()
    np.testing.assert_array_equal(again.log_likelihood(X, y), model.log_likelihood(X, y))
    assert again.target_.to_json() == model.target_.to_json()


def test_the_likelihood_is_the_sum_over_steps(recurrent):
    x, y = "a b c", "c b a"
    network, tokenizer = recurrent.network_, recurrent.target_.tokenizer
    with torch.inference_mode():
        tokens = tokenizer.encode([x])
        reading = network.read({"tokens": tokens.values[None], "tokens_length": tokens.lengths})
        total, last = 0.0, 2
        for token in [*tokenizer.encode([y]).values.tolist(), 3]:
            total += float(network.step(reading, torch.tensor([last]))[0, token])
            last = token
    assert recurrent.log_likelihood([x], [y])[0] == pytest.approx(total, rel=1e-5)
    assert recurrent.rank(x, [y, "h h"])[0] == pytest.approx(total / 4, rel=1e-5)


def test_the_right_answer_fits_best(reverser):
    X, y = reversals(20, seed=4)
    assert all(reverser.rank(x, y).argmax() == y.index(answer) for x, answer in zip(X, y, strict=True))


def test_more_beams_find_likelier_answers(recurrent):
    X, _ = reversals(40, seed=5)
    recurrent.set_params(length_penalty=0.0)
    totals = [recurrent.log_likelihood(X, recurrent.set_params(beams=b).predict(X)).sum() for b in (1, 4)]
    assert totals[1] >= totals[0]


def test_score_is_the_bleu_of_sacrebleu(recurrent):
    X, y = reversals(30, seed=6)
    recurrent.set_params(beams=1)
    expected = sacrebleu.corpus_bleu(recurrent.predict(X).tolist(), [y]).score / 100
    assert recurrent.score(X, y) == pytest.approx(expected)
    weight = np.r_[np.full(10, 2.0), np.ones(20)]
    assert recurrent.score(X, y, sample_weight=weight) == pytest.approx(recurrent.score(X[:10] + X, y[:10] + y))


def test_a_loss_does_not_depend_on_the_other_pairs():
    scores = torch.randn(9, 12, dtype=torch.float64)
    target = torch.tensor([[4, 5, 3, 0], [6, 3, 0, 0], [7, 8, 9, 3]])
    losses = token_losses(scores, target, label_smoothing=0.1)
    torch.testing.assert_close(losses[1:2], token_losses(scores[3:5], target[1:2, :2], label_smoothing=0.1))
    log_p = scores.log_softmax(-1)
    by_hand = [
        -sum(0.9 * log_p[i, v] + 0.1 * log_p[i].mean() for i, v in zip(rows, words, strict=True))
        for rows, words in ((range(3), [4, 5, 3]), (range(3, 5), [6, 3]), (range(5, 9), [7, 8, 9, 3]))
    ]
    torch.testing.assert_close(losses, torch.stack(by_hand))


def test_weights_count_as_copies():
    X = ["a b c d", "b a d c", "c d", "a b", "d c b a a b c d"]  # as many of each, so that the vocabulary is the same
    y = [x[::-1] for x in X]
    options = {"epochs": 3, "batch_size": 100, "precision": "float64"}
    weighted = small(**options).fit(X, y, sample_weight=[2.0, 2.0, 1.0, 1.0, 1.0])
    copied = small(**options).fit(X[:2] + X, y[:2] + y)
    assert weighted.target_.per_text == pytest.approx(copied.target_.per_text)
    for one, other in zip(weighted.history_.rows, copied.history_.rows, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-9)


def test_a_held_out_part_is_measured():
    X, y = reversals(60)
    model = small(epochs=3).fit(X, y, validation=([x.upper() for x in X[:20]], y[:20]))
    rows = model.history_.rows
    assert all(0 <= row["validation_score"] <= 1 and np.isfinite(row["validation_loss"]) for row in rows)


def test_answers_have_an_end_unless_they_are_cut():
    tokenizer = small(epochs=1).fit(["a b", "c d e"], ["a b", "c d e"]).target_.tokenizer
    tokens = tokenizer.encode(["a b", "c d e", "a"])
    found = [each.tolist() for each in ended(tokens, 2).split()]
    words = [each.tolist() for each in tokens.split()]
    assert found == [[*words[0], 3], words[1][:2], [*words[2], 3]]


def test_long_texts_are_cut_and_told():
    X, y = ["a b c d e f g h"] * 20, ["a b c d e f g h"] * 20
    with pytest.warns(DataWarning, match="have more than 4 tokens"):
        model = small(max_length=4, epochs=1).fit(X, y)
    assert (model.encoder_.longest, model.target_.longest) == (4, 4)
    with pytest.warns(DataWarning, match="20 of 20 texts have more than 4 tokens"):
        said = model.predict(X)
    assert all(len(text.split()) <= 4 for text in said)


def test_unknown_words_are_read_and_never_said(reverser):
    said = reverser.predict(["a zebra b", "über 你好"])
    assert all(set(text) <= set("abcdefgh ") for text in said)


def test_byte_pairs_answer_in_the_spelling_of_training():
    X, y = reversals(40)
    model = small(tokenizer="bpe(vocabulary=280)", epochs=1).fit(X, [f"Straße “{text}”!" for text in y])
    assert isinstance(model.encoder_, TextEncoder)
    assert model.encoder_.tokenizer.encode(["Straße"]).longest <= 6  # learned from both sides
    assert model.target_.tokenizer.decode(model.target_.tokenizer.encode(["Straße “a”!"]).values) == "Straße “a”!"
    assert model.attention(["a b"], ["Straße “b”!"])[0].answer[0] == "Straße"


def test_pieces_become_words_in_a_picture():
    weights = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
    joined = of_words(["Wal", "d", " weg"], ["for", "est", " way"], weights)
    assert joined.source == ("Wald", "weg")
    assert joined.answer == ("forest", "way")
    np.testing.assert_allclose(joined.weights, [[0.475, 0.525], [0.6, 0.4]])


BAD = [
    ((["a b", "c"], ["d"]), InvalidInput, r"X and y have inconsistent numbers of samples: \[2, 1\]"),
    ((["a b", ""], ["d", "e"]), InvalidInput, "1 of 2 texts are empty"),
    ((["a b", "c"], ["d", "  "]), InvalidInput, r"1 of 2 answers are empty \(row 1\)"),
    ((["a b", "c"], ["d", None]), InvalidInput, "the answer in row 1 is missing"),
    ((["a b", "c"], ["d", 3]), InvalidInput, "the answer in row 1 is 3, a int"),
    ((["a b", "c"], None), InvalidInput, "the target y is NoneType"),
    ((["a b", "c"], "d"), InvalidInput, "the target y is one text"),
    ((np.zeros((2, 3)), ["a", "b"]), InvalidInput, "reads texts"),
    (("a b", ["c"]), UnsupportedType, "cannot be read as data"),
]


@pytest.mark.parametrize(("given", "kind", "message"), BAD)
def test_bad_pairs_are_refused(given, kind, message):
    with pytest.raises(kind, match=message):
        small().fit(*given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beams": 0}, r"beams=0.*at least 1"),
        ({"length_penalty": -1.0}, r"length_penalty=-1.0.*at least 0"),
        ({"width": 30, "heads": 4}, r"Give a multiple, such as width=32"),
        ({"label_smoothing": 1.0}, "label_smoothing=1.0"),
        ({"network": "lstm"}, "network='lstm'"),
        ({"tokenizer": "letters"}, "no tokenizer is called 'letters'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InvalidParameter, match=message):
        small(**options).fit(*reversals(20))


def test_bad_questions_are_refused(recurrent):
    for call, message in (
        (lambda: recurrent.predict(["a", ""]), "1 of 2 texts are empty"),
        (lambda: recurrent.reply(["a"]), r"\['a'\] is a list. Give one text"),
        (lambda: recurrent.log_likelihood(["a"], ["b", "c"]), "inconsistent numbers"),
        (lambda: recurrent.rank("a", ["b", ""]), "answers are empty"),
        (lambda: recurrent.set_params(beams=0).predict(["a"]), "beams=0"),
    ):
        with pytest.raises((InvalidInput, InvalidParameter), match=message):
            call()
    recurrent.set_params(beams=2)


def test_a_target_from_a_damaged_file_is_refused():
    from ganglion.errors import InvalidModel
    from ganglion.estimators.targets import target_from_json

    target = TextTarget(small(epochs=1).fit(*reversals(10)).target_.tokenizer, 5, 3.5)
    stored = target.to_json()
    assert target_from_json(stored).to_json() == stored
    for part, value in (("longest", 0), ("longest", 5.0), ("per_text", 99.0), ("per_text", 3), ("tokenizer", None)):
        with pytest.raises(InvalidModel):
            target_from_json(stored | {part: value})
