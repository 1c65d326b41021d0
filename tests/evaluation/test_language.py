"""Language models are judged by bits per character, beside tables of how often tokens follow one another."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from ganglion.errors import InvalidInput
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.language import passages_of
from ganglion.evaluation.language_baselines import packed_bits, witten_bell

TRAIN = "the cat sat on the mat. the dog sat on the log. " * 40
TEST = "the cat sat on the log.\n" * 60 + "the zq log\n" * 12


class Uniform:
    """A model that finds each of 32 letters equally likely, and those of `hard` less so."""

    tags = SimpleNamespace(task="language_modelling")

    def __init__(self, hard="", bits=5.0):
        self.hard, self.bits = hard, bits

    def tokens(self, texts):
        return [list(text) for text in texts]

    def surprisals(self, texts, follows):
        assert len(texts) == len(follows)
        bits = [[20.0 if letter in self.hard else self.bits for letter in text] for text in texts]
        return [np.array(each) * math.log(2) for each in bits]


def test_figures_of_a_uniform_model():
    report = evaluate(Uniform(), [TEST], baselines=False, n_bootstrap=50)
    figures = report.to_dict()["model"]["metrics"]
    assert figures["bits_per_character"]["value"] == pytest.approx(5)
    assert figures["loss"]["value"] == pytest.approx(math.log(32))
    assert figures["perplexity"]["value"] == pytest.approx(32)
    assert figures["bits_per_character"]["low"] == pytest.approx(5)  # every passage is as hard


def test_passages_are_the_text_cut_at_the_ends_of_lines():
    truth = passages_of(Uniform(), [TEST, "short"], None)
    assert "".join(truth.values) == TEST + "short"
    assert truth.follows.tolist() == [False, *[True] * (len(truth) - 2), False]
    assert all(250 <= len(passage) <= 500 for passage in truth.values[:-2])
    assert all(passage.endswith("\n") for passage in truth.values[:-1])
    assert [len(each) for each in truth.tokens] == [len(passage) for passage in truth.values]


def test_worst_passages_mark_the_unexpected(tmp_path):
    report = evaluate(Uniform(hard="zq"), [TEST], train=([TRAIN], None), n_bootstrap=50)
    worst = report.mistakes[0]
    assert "zq" in worst.truth
    assert "bits per character" in worst.prediction
    marked = {text for text, odd in worst.pieces if odd}
    assert marked == {"z", "q"}
    assert "".join(text for text, _ in worst.pieces) == passages_of(Uniform(), [TEST], None).values[worst.row]
    page = report.to_html()
    assert "<mark>z</mark>" in page
    assert "bits per character" in page
    json.loads(report.to_json())
    assert str(report)


def test_the_verdict_compares_with_tables():
    train = ([TRAIN], None)
    report = evaluate(Uniform(), [TEST], train=train, n_bootstrap=50)
    assert [each.name for each in report.baselines] == ["unigram", "5-gram", "LZMA"]
    assert report.comparison.outcome == "worse"
    assert "bits per character" in report.verdict
    assert evaluate(Uniform(bits=0.001), [TEST], train=train, n_bootstrap=50).comparison.outcome == "better"


def test_without_training_text_there_are_no_tables():
    report = evaluate(Uniform(), [TEST], n_bootstrap=50)
    assert not report.baselines
    assert any("count the training text" in note for note in report.notes)


def test_answers_of_a_wrong_length_are_refused():
    model = Uniform()
    model.surprisals = lambda texts, follows: [np.zeros(3)] * len(texts)
    with pytest.raises(InvalidInput, match="one finite number for each of its tokens"):
        evaluate(model, [TEST], baselines=False)
    with pytest.raises(InvalidInput, match="no text"):
        evaluate(Uniform(), np.zeros((3, 2)), baselines=False)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_tables_equal_the_recursion_of_the_paper(order):
    rng = np.random.default_rng(0)
    seen, asked = rng.integers(0, 4, 200), rng.integers(0, 5, 60)
    both, n_kinds = [*seen.tolist(), *asked.tolist()], int(max(seen.max(), asked.max())) + 1

    def chance(token, history):
        if history is None:
            return 1 / n_kinds
        k = len(history)
        following = [seen[i + k] for i in range(len(seen) - k) if seen[i : i + k].tolist() == list(history)]
        shorter = chance(token, history[1:] if k else None)
        kinds = len(set(following))
        return (following.count(token) + kinds * shorter) / (len(following) + kinds) if following else shorter

    expected = [-math.log(chance(both[i], tuple(both[i - order + 1 : i]))) for i in range(len(seen), len(both))]
    np.testing.assert_allclose(witten_bell(seen, asked, order), expected, rtol=1e-9)


def test_chances_of_a_table_sum_to_one():
    seen = np.random.default_rng(1).integers(0, 6, 100)
    total = sum(math.exp(-witten_bell(seen, np.array([token, 5]), 3)[0]) for token in range(6))
    assert total == pytest.approx(1)


def test_a_packer_needs_next_to_nothing_for_what_it_knows():
    rng = np.random.default_rng(0)
    noise = "".join(rng.choice(list("abcdefgh"), 4000))
    assert packed_bits([noise], [noise]) < 0.2
    assert packed_bits(["x"], [noise]) > 2.5
