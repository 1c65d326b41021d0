"""BLEU and chrF: the figures of sacrebleu, from counts that add up."""

import builtins
import random

import numpy as np
import pytest
import sacrebleu

from ganglion.data.text_scores import bleu, bleu_counts, chrf, chrf_counts
from ganglion.errors import MissingExtra

WORDS = [
    "the",
    "a",
    "cat",
    "dog,",
    "sat.",
    "on",
    "It's",
    "3,000",
    "runs!",
    "über",
    "Straße",
    "(so)",
    "“ja”",
    "&amp;",
    "%",
]


def texts(n, seed):
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 12))) for _ in range(n)]


@pytest.mark.parametrize("n", [1, 2, 10, 200])
def test_corpus_figures_are_those_of_sacrebleu(n):
    said, true = texts(n, 1), texts(n, 2)
    said[0] = true[0]
    assert float(bleu(bleu_counts(said, true).sum(0))) == pytest.approx(sacrebleu.corpus_bleu(said, [true]).score)
    assert float(chrf(chrf_counts(said, true).sum(0))) == pytest.approx(sacrebleu.corpus_chrf(said, [true]).score)


@pytest.mark.parametrize("pair", [("", "a b"), ("zz", "a b c d e"), ("a b c d", "a b c d"), ("a a a a a", "a b")])
def test_odd_texts(pair):
    said, true = [pair[0]], [pair[1]]
    assert float(bleu(bleu_counts(said, true)[0])) == pytest.approx(sacrebleu.corpus_bleu(said, [true]).score)
    assert float(chrf(chrf_counts(said, true)[0])) == pytest.approx(sacrebleu.corpus_chrf(said, [true]).score)


def test_a_weight_of_two_is_a_second_copy():
    said, true = texts(20, 3), texts(20, 4)
    weights = np.array([2.0] * 10 + [1.0] * 10)
    for counts, figure, measure in (
        (bleu_counts, bleu, sacrebleu.corpus_bleu),
        (chrf_counts, chrf, sacrebleu.corpus_chrf),
    ):
        weighted = float(figure(weights @ counts(said, true)))
        assert weighted == pytest.approx(measure(said[:10] + said, [true[:10] + true]).score)


def test_many_corpora_at_once():
    counts = bleu_counts(texts(30, 5), texts(30, 6))
    several = np.random.default_rng(0).integers(0, 3, (4, 30)) @ counts
    np.testing.assert_allclose(bleu(several), [float(bleu(row)) for row in several])


def test_without_the_package(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "sacrebleu":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r"pip install \"?'?ganglion\[text\]"):
        bleu_counts(["a"], ["a"])
