"""Transcripts judged: error rates by hand, intervals, baselines, mistakes with spectrograms, the page."""

from types import SimpleNamespace

import numpy as np
import pytest

from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.predictions import Truth
from ganglion.evaluation.transcription import compared, transcript_values, worst_transcripts
from ganglion.evaluation.transcription_baselines import run_transcript_baselines

RATE = 4000


class Writer:
    """Says what it was told to."""

    tags = SimpleNamespace(task="speech_recognition")

    def __init__(self, said):
        self.said = said

    def predict(self, X):
        return np.array(self.said[: len(X)], dtype=object)


def sounds(n, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (RATE, np.sin(np.arange(800 + 40 * i) * (0.2 + 0.5 * (i % 2))) + 0.1 * rng.normal(size=800 + 40 * i))
        for i in range(n)
    ]


def truth_of(texts):
    return Truth("speech_recognition", np.array(texts, dtype=object), ())


def test_error_rates_are_of_all_words_together():
    truth = truth_of(["one two three", "four"])
    values = transcript_values(truth, compared(truth, ["one too three four", "four"]))
    assert values["word_error_rate"] == pytest.approx(2 / 4)  # one changed, one added, of four words
    assert values["character_error_rate"] == pytest.approx((1 + 5) / (13 + 4))
    assert values["exact_match"] == 0.5


def test_weights_count_recordings():
    truth = truth_of(["a b", "c"])
    said = compared(truth, ["a x", "y"])
    assert transcript_values(truth, said, np.array([1.0, 3.0]))["word_error_rate"] == pytest.approx((1 + 3) / (2 + 3))
    twice = truth_of(["a b", "c", "c", "c"])
    assert transcript_values(twice, compared(twice, ["a x", "y", "y", "y"]))["word_error_rate"] == pytest.approx(4 / 5)


def test_worst_are_those_with_the_most_wrong_words_for_their_length_with_their_spectrogram():
    truth = truth_of(["one two", "one", "one two three four"])
    found = worst_transcripts(truth, compared(truth, ["one tow", "nine ten", "one two three four"]), sounds(3))
    assert [each.row for each in found] == [1, 0]
    assert found[0].words == (("", "∅", "nine"), ("", "one", "ten"))
    assert found[1].words == (("one", "one", "one"), ("", "two", "tow"))
    assert "<image" in found[0].picture.svg


def test_report(tmp_path):
    X, y = sounds(12), ["low low" if i % 2 else "high" for i in range(12)]
    said = [*y[:11], "wrong <b>words</b>"]
    report = evaluate(Writer(said), X, y, train=(sounds(12, seed=1), y))
    assert report.task == "speech_recognition"
    assert report.metrics["word_error_rate"].value == pytest.approx(2 / 18)
    assert report.metrics["word_error_rate"].low < 2 / 18 < report.metrics["word_error_rate"].high
    assert [each.name for each in report.baselines] == ["commonest transcript", "nearest recording's transcript"]
    assert report.facts["Errors"] == "2 words wrong, 0 missing, 0 added"
    report.to_html(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "Word error rate" in page
    assert "wrong" in page
    assert "<b>words" not in page  # escaped
    assert "Worst transcripts" in str(report)


def test_baselines():
    X, y = sounds(12), ["low low" if i % 2 else "high" for i in range(12)]
    same, near = run_transcript_baselines(truth_of(y), X, train=(sounds(12, seed=1), truth_of(y)))
    assert len(set(same.predictions.values)) == 1
    assert near.predictions.exact.mean() > 0.9  # the two tones are far apart
    out_of_fold = run_transcript_baselines(truth_of(y), X)
    assert out_of_fold[1].predictions.exact.mean() > 0.9
