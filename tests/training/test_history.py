"""Histories: what they draw, and that one read back from its log is the same."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ganglion.algorithms.mlp import MLPClassifier
from ganglion.algorithms.perceptron import Perceptron
from ganglion.drawing.axes import LEFT, RIGHT
from ganglion.errors import InvalidFile
from ganglion.training.history import History

X, Y = load_iris(return_X_y=True)


def history(n_epochs=4, best_epoch=None, **columns):
    rows = [{"epoch": k + 1, "step": 3 * k + 3, "seconds": k / 2, "learning_rate": 0.1} for k in range(n_epochs)]
    rows = [row | {name: values[k] for name, values in columns.items()} for k, row in enumerate(rows)]
    return History.from_dict({"rows": rows, "best_epoch": best_epoch, "stopped": "all epochs done"})


def elements(chart, tag):
    return list(ET.fromstring(chart.svg).iter(f"{{http://www.w3.org/2000/svg}}{tag}"))


def words(chart):
    return [each.text for each in elements(chart, "text")]


def lines(chart):
    found = [each.attrib["d"].removeprefix("M").split("L") for each in elements(chart, "path")]
    return [np.array([pair.split() for pair in line], dtype=float) for line in found]


def test_there_is_a_chart_for_each_kind_of_number():
    assert list(history(loss=[4, 3, 2, 1]).plot()) == ["loss"]
    assert list(history(loss=[4, 3, 2, 1], learning_rate=[1, 1, 0.5, 0.5]).plot()) == ["loss", "learning_rate"]
    assert list(history(loss=[4, 3, 2, 1], validation_score=[0, 0, 1, 1]).plot()) == ["loss", "score"]
    assert list(History().plot()) == []


def test_every_epoch_has_its_place():
    training, validation = lines(history(loss=[8, 4, 2, 1], validation_loss=[9, 6, 5, 7]).plot()["loss"])
    for line in (training, validation):
        np.testing.assert_allclose(line[:, 0], LEFT + (RIGHT - LEFT) * np.arange(4) / 3, atol=0.06)
    # one axis for both: what lies between two losses, in numbers, lies between their points
    down = np.polyfit([8, 4, 2, 1, 9, 6, 5, 7], [*training[:, 1], *validation[:, 1]], 1)
    np.testing.assert_allclose(training[:, 1], np.polyval(down, [8, 4, 2, 1]), atol=0.06)
    assert down[0] < 0


def test_the_best_epoch_is_marked_on_the_held_out_curves():
    charts = history(
        4, 3, loss=[8, 4, 2, 1], validation_loss=[9, 6, 5, 7], validation_score=[0.2, 0.5, 0.6, 0.7]
    ).plot()
    for name, number in (("loss", 5), ("score", 0.6)):
        (dot,) = elements(charts[name], "circle")
        assert [float(dot.attrib["cx"]), float(dot.attrib["cy"])] == lines(charts[name])[-1][2].tolist()
        assert dot[0].text == f"best epoch: 3, {name} {number}"
        assert "best epoch: 3" in words(charts[name])
    assert not elements(history(loss=[8, 4, 2, 1]).plot()["loss"], "circle")


def test_every_objective_has_a_line():
    chart = history(loss=[4, 3, 2, 1], critic_loss=[1, 2, 3, 4], gradient_penalty_loss=[0, 0, 0, 0]).plot()["loss"]
    assert len(lines(chart)) == 3
    assert {"training", "critic", "gradient penalty"} <= {*words(chart)}


def test_wide_losses_are_on_a_logarithmic_axis():
    (line,) = lines(history(loss=[1e6, 1e4, 1e2, 1.0]).plot()["loss"])
    np.testing.assert_allclose(np.diff(line[:, 1]), np.ptp(line[:, 1]) / 3, atol=0.11)
    assert "loss" in words(history(loss=[1e3, 10, 2, 1.0]).plot()["loss"])


def test_the_learning_rate_is_a_smaller_chart():
    charts = history(loss=[4, 3, 2, 1], learning_rate=[1, 0.5, 0.25, 0.125]).plot()
    assert charts["learning_rate"].height < charts["loss"].height
    (line,) = lines(charts["learning_rate"])
    falls = np.diff(line[:, 1])
    np.testing.assert_allclose(falls / falls[0], [1, 0.5, 0.25], atol=0.01)


@pytest.mark.parametrize("n_epochs", [1, 400])
def test_any_number_of_epochs_can_be_drawn(n_epochs):
    model = MLPClassifier(hidden=(2,), epochs=n_epochs, random_state=0, validation_fraction=0.2, patience=None).fit(
        X, Y
    )
    charts = model.history_.plot()
    assert "loss" in charts
    assert "score" in charts
    if n_epochs == 1:
        training, best = (float(dot.attrib["cx"]) for dot in elements(charts["loss"], "circle")[-2:])
        assert training == best == (LEFT + RIGHT) / 2
    else:
        assert all(len(line) == 400 for line in lines(charts["loss"]))


def test_a_history_read_back_draws_the_same(tmp_path):
    model = MLPClassifier(hidden=(4,), epochs=12, batch_size=30, random_state=0, validation_fraction=0.2)
    ours = model.fit(X, Y, checkpoint=tmp_path).history_
    read = History.read(tmp_path)
    assert read.best_epoch == ours.best_epoch
    assert {name: chart.svg for name, chart in read.plot().items()} == {
        name: chart.svg for name, chart in ours.plot().items()
    }
    assert list(read.plot()) == ["loss", "score", "learning_rate"]


def test_of_equal_epochs_the_last_is_the_best_as_while_training(tmp_path):
    rows = history(loss=[4, 3, 2, 1], validation_loss=[2, 1, 1, 3])
    (tmp_path / "history.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert History.read(tmp_path).best_epoch == 3


def test_a_log_with_other_than_numbers_is_refused(tmp_path):
    (tmp_path / "history.jsonl").write_text('{"epoch": 1, "loss": "low"}\n')
    with pytest.raises(InvalidFile, match="other than numbers"):
        History.read(tmp_path)


def test_a_notebook_shows_words_and_charts(tmp_path):
    shown = history(4, 2, loss=[4, 3, 2, 1], validation_loss=[2, 1, 2, 3])._repr_html_()
    assert "<p>4 epochs, 1.5 s, the best was epoch 2 (all epochs done)</p>" in shown
    assert shown.count("<svg") == 1
    assert "0 epochs" in History()._repr_html_()


def test_charts_are_saved_as_a_page_and_one_by_one(tmp_path):
    charts = Perceptron(random_state=0).fit(X[:100], Y[:100]).history_.plot()
    assert repr(charts) == "Charts(loss)"
    charts.save(tmp_path / "charts.html")
    charts["loss"].save(tmp_path / "loss.svg")
    page = (tmp_path / "charts.html").read_text()
    assert charts["loss"].inline in page
    assert "an epoch without a mistake" in page
    assert ET.parse(tmp_path / "loss.svg").getroot().tag.endswith("svg")
