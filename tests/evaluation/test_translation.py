"""Reports of texts that answer texts: sacrebleu's figures, baselines by hand, pictures, and whole texts to read."""

import re

import numpy as np
import pytest
import sacrebleu

from ganglion.errors import InvalidInput
from ganglion.evaluation.evaluate import evaluate
from ganglion.evaluation.predictions import Truth
from ganglion.evaluation.translation import compared, resampled_text_metrics, text_values, worst_texts
from ganglion.evaluation.translation_baselines import most_frequent, nearest, run_text_baselines

SOURCES = ["one red house", "two green trees", "three blue cars", "four old men", "five young women", "six grey cats"]
TRUE = [
    "ein rotes Haus",
    "zwei grüne Bäume",
    "drei blaue Autos",
    "vier alte Männer",
    "fünf junge Frauen",
    "ein rotes Haus",
]


class Parrot:
    """Answers what it was told to, and shows what it looked at."""

    class Tags:
        task = "translation"

    tags = Tags()

    def __init__(self, said):
        self.said = said

    def predict(self, X):
        return np.array(self.said, dtype=object)


def truth(texts=TRUE):
    return Truth("translation", np.array(texts, dtype=object), ())


def test_the_report_says_what_sacrebleu_says():
    said = [*TRUE[:3], "vier alte Leute dort", "etwas ganz anderes", "ein rotes Haus hier"]
    report = evaluate(Parrot(said), SOURCES, TRUE, n_bootstrap=50)
    assert report.metrics["bleu"].value == pytest.approx(sacrebleu.corpus_bleu(said, [TRUE]).score)
    assert report.metrics["chrf"].value == pytest.approx(sacrebleu.corpus_chrf(said, [TRUE]).score)
    assert report.metrics["exact_match"].value == 0.5
    weight = np.array([2.0, 1, 1, 1, 1, 1])
    weighted = text_values(truth(), compared(truth(), said), weight)
    assert weighted["bleu"] == pytest.approx(sacrebleu.corpus_bleu([said[0], *said], [[TRUE[0], *TRUE]]).score)


def test_a_resample_is_the_corpus_that_was_drawn():
    said = [*TRUE[:3], "vier alte Leute dort", "etwas ganz anderes", "ein rotes Haus hier"]
    rows = np.random.default_rng(0).integers(0, 6, (4, 6))
    weights = np.stack([np.bincount(row, minlength=6) for row in rows], 1).astype(float)
    (function,) = resampled_text_metrics(truth(), compared(truth(), said))
    found = function(weights)
    for k, row in enumerate(rows):
        drawn = [said[i] for i in row], [[TRUE[i] for i in row]]
        assert found["bleu"][k] == pytest.approx(sacrebleu.corpus_bleu(*drawn).score)
        assert found["chrf"][k] == pytest.approx(sacrebleu.corpus_chrf(*drawn).score)


def test_the_baselines_say_what_can_be_said_without_a_network():
    seen = (["two green trees there", "an old man", "red house"], truth(["T", "M", "M"]))
    copied, commonest, near = run_text_baselines(truth(), SOURCES, train=seen)
    assert copied.predictions.values.tolist() == SOURCES
    assert set(commonest.predictions.values) == {"M"}
    assert near.predictions.values[1] == "T"
    assert most_frequent(np.array(["a", "b", "b"], dtype=object), np.array([5.0, 1, 1])) == "a"
    assert nearest(["a b", "b c", "¿?"], ["c", "a", "?"]).tolist() == [1, 0, 2]


def test_without_training_data_no_row_answers_itself():
    baselines = run_text_baselines(truth(), SOURCES)
    assert not baselines[2].predictions.exact[1:5].any()


def test_the_worst_answers_come_first_and_whole():
    said = [*TRUE[:5], "xyz"]
    worst = worst_texts(truth(), compared(truth(), said), SOURCES)
    assert [each.row for each in worst] == [5]
    assert worst[0].features == {"source": SOURCES[5]}
    long = [f"{text} {'und noch mehr ' * 12}" for text in TRUE]
    report = evaluate(Parrot(said), SOURCES, long, n_bootstrap=50, baselines=False)
    shown = re.sub(r"\s+", " ", str(report))
    assert "source one red house" in shown
    assert long[0].strip() in shown
    assert "said ein rotes Haus" in shown


def test_pictures_are_of_what_was_looked_at():
    from ganglion.algorithms.translator import Translator

    model = Translator(width=16, layers=1, heads=2, epochs=1, tokenizer="words(min_count=1)", random_state=0)
    model.fit(SOURCES, TRUE)
    report = evaluate(model, SOURCES, [text.upper() for text in TRUE], n_bootstrap=50, baselines=False)
    pictures = [each.picture for each in report.mistakes]
    assert pictures
    assert all(each is not None for each in pictures)
    page = report.to_html()
    assert "What was looked at for" in page
    assert "Worst mistakes" in page
    assert report.facts["Answers"].startswith("3.0 words")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (TRUE[:3], "X has 6 rows and y has 3"),
        ([*TRUE[:5], None], "y holds None in row 5, and no text"),
        ([*TRUE[:5], 4.0], "y holds 4.0 in row 5, and no text"),
    ],
)
def test_answers_that_cannot_be_judged(y, message):
    with pytest.raises(InvalidInput, match=message):
        evaluate(Parrot(TRUE), SOURCES, y)


def test_a_model_that_answers_no_texts():
    with pytest.raises(InvalidInput, match="answers each text with a text"):
        evaluate(Parrot([1, 2, 3, 4, 5, 6]), SOURCES, TRUE)
