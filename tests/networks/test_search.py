"""Searches for the best answer: against enumeration, against each other, and one sentence at a time."""

import itertools
import math

import pytest
import torch

from ganglion.networks.search import BEGINNING, END, beam_search, greedy

V, LONGEST = 7, 4  # filling, unknown, beginning, end, and three words


class Table:
    """A made-up model: log p of the next token depends on the sentence and on all tokens said so far."""

    def __init__(self, sentences, seed=0):
        self.tables = torch.randn(8, V * V * V * V, V, generator=torch.Generator().manual_seed(seed)).double() * 2
        self.sentences = torch.as_tensor(sentences)
        self.past = torch.zeros(len(self.sentences), dtype=torch.int64)

    def take(self, rows):
        self.sentences, self.past = self.sentences[rows], self.past[rows]

    def chances(self, sentence, past):
        return self.tables[sentence, past % V**4].log_softmax(-1)


def step(reading, tokens):
    reading.past = reading.past * V + tokens
    return reading.chances(reading.sentences, reading.past)


def all_answers():
    """Every answer of at most LONGEST tokens: words and an end, or LONGEST words."""
    words = range(4, V)
    for n in range(1, LONGEST):
        for said in itertools.product(words, repeat=n):
            yield [*said, END]
    for said in itertools.product(words, repeat=LONGEST):
        yield list(said)


def log_p(model, sentence, answer):
    past, total = 0, 0.0
    for before, token in zip([BEGINNING, *answer], answer, strict=False):
        past = past * V + before
        total += float(model.chances(sentence, past)[token])
    return total


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.5])
def test_many_beams_find_the_best_of_all_answers(penalty):
    model, sentences = Table(range(8)), torch.arange(8)
    said, score = beam_search(step, Table(sentences), 8, LONGEST, beams=100, length_penalty=penalty)
    for sentence in range(8):
        scored = [(log_p(model, sentence, a) / ((5 + len(a)) / 6) ** penalty, a) for a in all_answers()]
        best, answer = max(scored)
        assert math.isclose(float(score[sentence]), best, rel_tol=1e-9)
        assert said[sentence].tolist() == answer + [0] * (LONGEST - len(answer))


@pytest.mark.parametrize("seed", range(5))
def test_one_beam_is_greedy_search(seed):
    first = greedy(step, Table(range(8), seed), 8, LONGEST)
    second, _ = beam_search(step, Table(range(8), seed), 8, LONGEST, beams=1)
    width = first.shape[1]
    assert torch.equal(first, second[:, :width])
    assert not second[:, width:].any()


@pytest.mark.parametrize("beams", [1, 2, 5])
def test_a_sentence_is_answered_alike_alone_and_among_others(beams):
    together, _ = beam_search(step, Table([3, 0, 3, 5, 1]), 5, LONGEST, beams=beams)
    for i, sentence in enumerate([3, 0, 3, 5, 1]):
        alone, _ = beam_search(step, Table([sentence]), 1, LONGEST, beams=beams)
        assert torch.equal(alone[0], together[i])


def test_more_beams_find_answers_that_are_as_good_or_better_on_average():
    scores = [beam_search(step, Table(range(8)), 8, LONGEST, beams=beams)[1].mean() for beams in (1, 3, 100)]
    assert scores[0] <= scores[1] <= scores[2]
    assert scores[0] < scores[2]


def test_no_answer_holds_what_is_no_word():
    said, _ = beam_search(step, Table(range(8)), 8, LONGEST, beams=3)
    ended = (said == END).cumsum(1) - (said == END).long() > 0
    assert (said[ended] == 0).all()
    assert (said[~ended] >= END).all()
