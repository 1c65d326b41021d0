"""Models of music are judged by nats a step, beside tables of notes."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest

from ganglion.data.chords import pieces_to_dataset, roll_of
from ganglion.errors import InvalidInput
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.music import pieces_of
from ganglion.evaluation.music_baselines import key_by_key, note_frequencies

PIECE = [(48, 60), (48, 60), (48, 62), (47, 62)] * 6
OTHER = [(48, 60)] * 10 + [(90, 91, 92)] + [(48,)] * 5


class Believer:
    """A model that finds every chord as surprising as it is told, and expects the chord before once more."""

    tags = SimpleNamespace(task="music_modelling")

    def __init__(self, nats=3.0, odd=None):
        self.nats, self.odd = nats, odd

    def surprisals(self, pieces):
        nats = [np.full(len(piece), self.nats) for piece in map(roll_of, pieces)]
        return [
            np.where(piece[:, 71] > 0, 40.0, each) if self.odd else each
            for piece, each in zip(pieces, nats, strict=True)
        ]

    def predict(self, pieces):
        return [np.concatenate([np.zeros((1, 88), np.uint8), piece[:-1]]) for piece in map(roll_of, pieces)]

    def sample(self, *, length, random_state):
        return roll_of(PIECE)[:length]


def test_figures():
    report = evaluate(Believer(), [PIECE, OTHER], baselines=False, n_bootstrap=50)
    figures = report.to_dict()["model"]["metrics"]
    assert figures["loss"]["value"] == figures["loss"]["low"] == pytest.approx(3)
    hits = either = 0
    for piece in (PIECE, OTHER):
        for before, chord in zip([(), *piece[:-1]], piece, strict=True):
            hits, either = hits + len({*before} & {*chord}), either + len({*before} | {*chord})
    assert figures["accuracy"]["value"] == pytest.approx(hits / either)
    assert figures["accuracy"]["low"] < hits / either < figures["accuracy"]["high"]
    assert "loss, nats per step" in report.verdict or "Not compared" in report.verdict


def test_the_loss_is_a_mean_over_all_steps():
    class Two(Believer):
        def surprisals(self, pieces):
            return [np.full(len(piece), nats) for piece, nats in zip(pieces, (2.0, 8.0), strict=True)]

    report = evaluate(Two(), [PIECE, OTHER[:4]], baselines=False, n_bootstrap=50)
    assert report.metrics["loss"].value == pytest.approx((24 * 2 + 4 * 8) / 28)


def test_the_page_shows_what_was_written_and_what_was_expected_least():
    data = pieces_to_dataset([PIECE, OTHER], files=["a.mid", "b.mid"])
    report = evaluate(Believer(odd=True), data, train=([PIECE], None), n_bootstrap=50)
    worst = report.mistakes[0]
    assert (worst.row, worst.file) == (1, "b.mid")
    assert worst.truth == "F♯6 G6 G♯6 in step 11"
    assert worst.prediction == "C3 C4; the true one had a chance of 4.2e-18"
    assert "steps 1 to 16" in worst.picture.title
    page = report.to_html()
    assert "Written by the model" in page
    assert page.count("<svg") >= 3
    assert "note frequencies" in str(report)
    assert {"sample", "comparison", "mistake_1"} <= {*report.plot()}
    json.loads(report.to_json())


def test_the_verdict_compares_with_tables():
    report = evaluate(Believer(), [PIECE] * 3, train=([PIECE, OTHER], None), n_bootstrap=50)
    assert [each.name for each in report.baselines] == ["note frequencies", "each key by itself"]
    losses = [each.metrics["loss"].value for each in report.contenders]
    assert losses[2] < losses[1]
    assert report.comparison.outcome == ("better" if losses[0] < losses[2] else "worse")
    assert evaluate(Believer(0.01), [PIECE[1:]], train=([PIECE], None), n_bootstrap=50).comparison.outcome == "better"


def test_without_training_pieces_there_are_no_tables():
    report = evaluate(Believer(), [PIECE], n_bootstrap=50)
    assert not report.baselines
    assert any("they count the training pieces" in note for note in report.notes)


def test_pieces_can_be_sets_of_notes():
    report = evaluate(Believer(), [[{60, 64}, set(), {62}]], train=([[{60}]], None), n_bootstrap=50)
    assert report.facts["Pieces"] == "1, 3 to 3 steps each, 3 in all, 1 notes a step"


def test_answers_of_a_wrong_length_are_refused():
    model = Believer()
    model.predict = lambda pieces: [np.zeros((1, 88))] * len(pieces)
    with pytest.raises(InvalidInput, match="which keys were expected"):
        evaluate(model, [PIECE], baselines=False)
    with pytest.raises(InvalidInput, match="pieces of music are wanted"):
        evaluate(Believer(), np.zeros((3, 2)), baselines=False)


def test_nothing_but_silence_has_no_accuracy():
    report = evaluate(Believer(), [[[], []]], baselines=False, n_bootstrap=50)
    assert report.metrics["accuracy"].reason == "no note sounds or is expected"


# baselines


def pieces(seed, *lengths):
    rng = np.random.default_rng(seed)
    return [(rng.random((length, 88)) < 0.3).astype(np.uint8) for length in lengths]


def test_tables_equal_counting_by_hand():
    seen, asked = pieces(0, 5, 8, 1), pieces(1, 6)[0]
    frequencies, chances = note_frequencies(seen)(asked), key_by_key(seen)(asked)
    for key in (0, 40, 87):
        column = [piece[:, key].tolist() for piece in seen]
        every = [v for piece in column for v in piece]
        assert frequencies[3, key] == pytest.approx((sum(every) + 0.5) / (len(every) + 1))
        pairs = [pair for piece in column for pair in itertools.pairwise(piece)]
        for t in range(1, 6):
            after = [b for a, b in pairs if a == asked[t - 1, key]]
            assert chances[t, key] == pytest.approx((sum(after) + 0.5) / (len(after) + 1))
    np.testing.assert_array_equal(chances[0], frequencies[0])


def test_the_truth_is_read_from_any_pieces():
    truth = pieces_of(None, [PIECE, OTHER], None)
    assert truth.steps.tolist() == [24, 16]
    assert truth.take(np.array([1])).steps.tolist() == [16]
