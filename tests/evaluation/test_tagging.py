"""Evaluating taggers: figures by hand, baselines that learn, the words of the worst mistakes, the whole report."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import f1_score

import ganglion as gg
from ganglion.errors import DataWarning, InvalidInput
from ganglion.evaluation.kinds import KINDS, read_truth
from ganglion.evaluation.tag_baselines import _viterbi, run_tag_baselines
from ganglion.evaluation.tagging import (
    TagPredictions,
    confused_tags,
    predict_tags,
    resampled_tag_metrics,
    tag_truth,
    tag_values,
    with_unseen,
    worst_tags,
)

X = [["the", "cat", "runs"], ["a", "dog"], ["the", "run", "of", "a", "dog"]]
Y = [["at", "nn", "vb"], ["at", "nn"], ["at", "nn", "in", "at", "nn"]]
SAID = [["at", "nn", "nn"], ["at", "nn"], ["at", "vb", "in", "at", "nn"]]
CLASSES = np.array(["at", "in", "nn", "vb"])


class Fixed:
    """A model that says what it is told, with probabilities."""

    classes_ = CLASSES
    tags = SimpleNamespace(task="tagging")

    def __init__(self, said=SAID, sure=0.7):
        self.said, self.sure = said, sure

    def predict(self, X):
        return np.array([*self.said, None], dtype=object)[:-1]

    def predict_proba(self, X):
        return [
            np.where(np.array(row)[:, None] == CLASSES, self.sure, (1 - self.sure) / 3) for row in self.said[: len(X)]
        ]


def truth_and_said(said=SAID):
    truth = tag_truth(Fixed(), X, Y)
    return truth, predict_tags(Fixed(said), X, truth)


def test_figures_by_hand():
    truth, said = truth_and_said()
    found = tag_values(with_unseen(truth, X, [["the", "dog", "cat", "a"]]), said)
    assert found["accuracy"] == pytest.approx(8 / 10)
    assert found["sentence_accuracy"] == pytest.approx(1 / 3)
    assert found["unseen_accuracy"] == pytest.approx(1 / 3)  # runs, run, of
    flat = [[label for row in rows for label in row] for rows in (Y, SAID)]
    assert found["f1_macro"] == pytest.approx(f1_score(*flat, average="macro"))
    assert "no training texts were given" in tag_values(truth, said)["unseen_accuracy"]
    assert tag_values(with_unseen(truth, X, X), said)["unseen_accuracy"] == "every word stands in a training text"


def test_weights_are_repeats():
    truth, said = truth_and_said()
    weight = np.array([2.0, 0.0, 3.0])
    rows = [0, 0, 2, 2, 2]
    again = tag_truth(Fixed(), [X[i] for i in rows], [Y[i] for i in rows])
    repeated = tag_values(again, predict_tags(Fixed([SAID[i] for i in rows]), [X[i] for i in rows], again))
    weighted = tag_values(truth, said, weight)
    for name in ("accuracy", "sentence_accuracy", "f1_macro"):
        assert weighted[name] == pytest.approx(repeated[name]), name
    (function,) = resampled_tag_metrics(truth, said)
    many = function(np.stack([np.ones(3), weight], 1))
    assert many["accuracy"].tolist() == pytest.approx([0.8, weighted["accuracy"]])


def test_labels_that_training_did_not_have_count_as_wrong():
    with pytest.warns(DataWarning, match=r"1 of 10 words of y have labels that no training text has.*'zz'"):
        truth = tag_truth(Fixed(), X, [["zz", "nn", "vb"], *Y[1:]])
    assert truth.values[0].tolist() == [-1, 2, 3]
    said = predict_tags(Fixed(), X, truth)
    assert tag_values(truth, said)["accuracy"] == pytest.approx(7 / 10)
    assert KINDS["tagging"].facts(truth, said)["Unknown labels"].startswith("1 words")
    assert sum(map(sum, confused_tags(truth, said))) == 9
    assert worst_tags(truth, said, X)[0].truth == "the: (unknown)"


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (X, Y[:2], "X has 3 rows and y has 2"),
        (X, [Y[0], ["at"], Y[2]], "row 1 has 2 words, but 1 labels in y"),
        (X, ["at nn vb", *Y[1:]], "row 0 of y is 'at nn vb'"),
        ([], [], "X and y are empty"),
        (X, [["q"] * len(row) for row in X], "'q'. Its classes are: 'at', 'in', 'nn', 'vb'. Is this the target"),
    ],
)
def test_bad_truth_is_refused(X, y, words):
    with pytest.raises(InvalidInput, match=words):
        tag_truth(Fixed(), X, y)


def test_answers_that_fit_nothing_are_refused():
    truth = tag_truth(Fixed(), X, Y)
    with pytest.raises(InvalidInput, match="another number of labels than there are words"):
        predict_tags(Fixed([["at"], *SAID[1:]]), X, truth)
    with pytest.raises(InvalidInput, match="predicts 'q', which its classes_ do not hold"):
        predict_tags(Fixed([["q", "q", "q"], *SAID[1:]]), X, truth)


def test_a_target_of_lists_is_tagging_without_being_told():
    model = SimpleNamespace(classes_=CLASSES, predict=lambda X: SAID)
    assert read_truth(model, X, Y).task == "tagging"


def test_the_surest_wrong_words_come_first():
    truth = tag_truth(Fixed(), X, Y)
    said = TagPredictions(predict_tags(Fixed(), X, truth).values, np.linspace(0.5, 0.95, 10))
    first, second = worst_tags(truth, said, X)
    assert (first.row, first.truth, first.prediction) == (2, "run: nn", "run: vb")
    assert first.probability == pytest.approx(0.5 + 6 * 0.05)
    assert first.words[1] == ("run", "nn", "vb")
    assert [word for word, true, said in first.words if true == said] == ["the", "of", "a", "dog"]
    assert second.row == 0
    long = [["w"] * 200]
    model = SimpleNamespace(classes_=CLASSES, predict=lambda X: [["at"] * 150 + ["nn"] + ["at"] * 49])
    truth = tag_truth(model, long, [["at"] * 200])
    (mistake,) = worst_tags(truth, predict_tags(model, long, truth), long)
    assert len(mistake.words) == 52
    assert mistake.words[0][0] == mistake.words[-1][0] == "…"
    assert ("w", "at", "nn") in mistake.words


def corpus(n: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Labels that follow from the word, or for "x" from the label before, or for new words from their ending."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        stem = f"{rng.choice(list('bcdfg'))}{rng.choice(list('aeiou'))}{rng.integers(1000)}"
        first, follows = [("the", "nn"), ("to", "vb")][rng.integers(2)]
        texts.append([first, "x", f"{stem}ly", f"{stem}ed"])
        labels.append(["at" if first == "the" else "to", follows, "rb", "vbd"])
    return texts, labels


def test_baselines_learn_what_they_can():
    (train, y_train), (test, y_test) = corpus(200, 0), corpus(60, 1)
    model = SimpleNamespace(classes_=np.unique([label for row in y_train for label in row]))
    truth, seen = tag_truth(model, test, y_test), tag_truth(model, train, y_train)
    raced = {b.name: b for b in run_tag_baselines(truth, test, train=(train, seen))}
    share = {name: (b.predictions.values == truth.codes).mean() for name, b in raced.items()}
    assert list(raced) == ["most frequent label", "each word's label", "hidden Markov model"]
    assert share["most frequent label"] == pytest.approx(0.25, abs=0.02)
    assert 0.5 < share["each word's label"] < 0.8
    assert share["hidden Markov model"] == 1
    assert "fitted on 200 training sequences" in raced["hidden Markov model"].note
    folds = run_tag_baselines(truth, test)
    assert "out of fold" in folds[0].note
    assert (folds[2].predictions.values == truth.codes).mean() > 0.9


def test_viterbi_finds_the_best_of_all_paths():
    rng = np.random.default_rng(0)
    follow = rng.normal(size=(5, 4))
    texts = [[(np.arange(4), rng.normal(size=4)) for _ in range(length)] for length in (4, 3, 1)]
    for text, path in zip(texts, _viterbi(texts, follow), strict=True):

        def score(labels, text=text):
            return sum(text[j][1][k] + follow[labels[j - 1] if j else 4, k] for j, k in enumerate(labels))

        every = np.indices((4,) * len(text)).reshape(len(text), -1).T
        best = max(every.tolist(), key=score)
        assert path.tolist() == best


def test_baselines_of_sequences():
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(length, 2)) for length in rng.integers(2, 9, 60)]
    labels = [(x[:, 1] > 0).astype(int).tolist() for x in series]
    model = SimpleNamespace(classes_=np.array([0, 1]))
    truth = tag_truth(model, series, labels)
    raced = run_tag_baselines(truth, series)
    assert [each.name for each in raced] == ["most frequent label", "logistic regression"]
    assert (raced[1].predictions.values == truth.codes).mean() > 0.95


@pytest.fixture(scope="module")
def report():
    (train, y_train), (test, y_test) = corpus(150, 0), corpus(40, 1)
    train[0], y_train[0] = ["<b>&", *train[0]], ["at", *y_train[0]]
    model = gg.RNNTagger(width=8, epochs=3, learning_rate=0.02, random_state=0, threads=1).fit(train, y_train)
    return gg.evaluate(model, test, y_test, train=(train, y_train), n_bootstrap=50)


def test_the_report_tells_everything(report):
    assert report.task == "tagging"
    assert {"accuracy", "unseen_accuracy", "f1_macro", "sentence_accuracy"} == set(report.metrics)
    printed = str(report)
    assert "tagging on 40 sequences" in printed
    assert "Accuracy on" in printed
    assert "hidden Markov model" in printed
    assert report.facts["Words"] == "160, 4.0 a sequence"
    for estimate in report.metrics.values():
        assert estimate.low <= estimate.value <= estimate.high
    json.loads(report.to_json())


def test_the_page_marks_the_wrong_words():
    texts = [["<i>", "b"], ["a", "b"]] * 10
    model = Fixed([["nn", "at"], ["at", "nn"]] * 10)
    page = gg.evaluate(model, texts, [["at", "nn"]] * 20, baselines=False, n_bootstrap=50).to_html()
    assert "<mark>&lt;i&gt; <b>nn</b> (at)</mark> <mark>b <b>at</b> (nn)</mark>" in page
    assert "Confusion matrix of words" in page
    assert "tagging: a label of every word, 20 evaluation sequences" in page
    assert "<i>" not in page


def test_the_interval_of_macro_f1_holds_it_where_labels_are_rare():
    rng = np.random.default_rng(0)
    classes = np.array([f"t{i:02}" for i in range(60)])
    rows = [[classes[min(59, int(k))] for k in rng.exponential(4, 12)] for _ in range(80)]
    said = [[label if label < "t08" else "t00" for label in row] for row in rows]  # rare ones are never said
    model = SimpleNamespace(classes_=classes, predict=lambda X: said, tags=SimpleNamespace(task="tagging"))
    found = gg.evaluate(model, [["w"] * 12] * 80, rows, baselines=False, n_bootstrap=200).metrics["f1_macro"]
    assert found.low < found.value < found.high


def test_many_labels_show_the_most_confused_ones():
    rng = np.random.default_rng(0)
    classes = np.array([f"t{i:02}" for i in range(40)])
    rows = [rng.choice(classes, 12).tolist() for _ in range(40)]
    said = [[row[0], *row[:11]] for row in rows]
    model = SimpleNamespace(classes_=classes, predict=lambda X: said, tags=SimpleNamespace(task="tagging"))
    found = gg.evaluate(model, [["w"] * 12] * 40, rows, baselines=False, n_bootstrap=50)
    assert "most_confused" in found.plot()
    assert "Commonest confusions" in found.to_html()
