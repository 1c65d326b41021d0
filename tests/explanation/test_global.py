"""Importance, partial dependence and the pictures of many explanations, against closed forms."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import partial_dependence as sklearns
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

import ganglion as gg
from ganglion.drawing.svg import text_width
from ganglion.errors import InvalidInput, InvalidParameter

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
Y = X @ [2.0, -1.0, 0.0] + RNG.normal(size=400) * 0.1
MODEL = LinearRegression().fit(X, Y)


def test_importance_of_a_linear_model_in_closed_form():
    """A shuffled column adds 2 w² var(x) to the squared error, of which the variance of y is the unit."""
    found = gg.importance(MODEL, X, Y, n_repeats=20)
    expected = 2 * MODEL.coef_**2 * X.var(axis=0) / Y.var()
    assert (np.abs(found.values - expected) < 2.5 * found.errors + 1e-4).all()
    assert found.score == pytest.approx(MODEL.score(X, Y))
    theirs = permutation_importance(MODEL, X, Y, n_repeats=20, random_state=0)
    np.testing.assert_allclose(found.values, theirs.importances_mean, atol=0.06)
    assert "x0" in str(found)
    assert "<svg" in found._repr_html_()
    assert json.loads(json.dumps(found.to_dict()))["features"][0]["feature"] == "x0"


def test_importance_of_classifiers():
    labels = np.where(Y > 0, "up", "down")
    model = LogisticRegression().fit(X, labels)
    accuracy, loss = (gg.importance(model, X, labels, metric=metric) for metric in ("accuracy", "log_loss"))
    assert accuracy.score == model.score(X, labels)
    assert accuracy.values.argmax() == loss.values.argmax() == 0
    assert abs(accuracy.values[2]) < 0.02
    ours = gg.MLPClassifier(hidden=(8,), epochs=40, random_state=0).fit(X, labels)
    assert gg.importance(ours, X, labels).values.argmax() == 0
    with pytest.raises(InvalidParameter, match=r"metric='r2' does not fit this model\. Give accuracy"):
        gg.importance(model, X, labels, metric="r2")
    with pytest.raises(InvalidParameter, match="no metric of importance is called 'acuracy'"):
        gg.importance(model, X, labels, metric="acuracy")


def test_partial_dependence_is_a_line_where_the_model_is_one():
    found = gg.partial_dependence(MODEL, X, "x0")
    slope = np.diff(found.mean) / np.diff(found.grid)
    np.testing.assert_allclose(slope, MODEL.coef_[0], atol=1e-8)
    theirs = sklearns(MODEL, X, [0], custom_values={0: np.array(found.grid)})
    np.testing.assert_allclose(found.mean, theirs["average"][0], atol=1e-10)
    assert "<svg" in found.plot().svg
    with pytest.raises(InvalidInput, match="no column is called 'x9'"):
        gg.partial_dependence(MODEL, X, "x9")


def test_partial_dependence_of_labels():
    data = pd.DataFrame({"color": RNG.choice(["red", "blue"], 60), "size": RNG.normal(size=60)})
    y = np.where(data["color"] == "red", "yes", "no")
    model = gg.MLPClassifier(hidden=(4,), epochs=30, random_state=0).fit(data, y)
    found = gg.partial_dependence(model, data, "color")
    assert found.grid == ("blue", "red")
    assert found.output == "yes"
    changed = [model.predict_proba(data.assign(color=color))[:, 1].mean() for color in found.grid]
    np.testing.assert_allclose(found.mean, changed, atol=1e-6)
    assert "<svg" in found.plot().svg


def test_pictures_and_words_of_many_explanations():
    many = gg.explain(MODEL, X[:30], "permutation", background=X[100:150])
    charts = many.plot()
    assert list(charts)[:2] == ["summary", "0"]
    assert charts["summary"].body.count("<circle") == 90
    begun = re.findall(r'<text x="([\d.]+)"[^>]*"s xs">([+-][^<]+)<', charts["0"].body)
    assert len(begun) == 3
    assert all(float(x) + text_width(words, 11) <= charts["0"].width for x, words in begun)
    assert "What x0 adds" in many.plot_dependence("x0").svg
    assert "30 samples, prediction" in str(many)
    page = many.to_html()
    assert page.count("<svg") >= 21
    plain = json.loads(json.dumps(many.to_dict()))["explanations"][0]
    low, high = plain["features"][0]["interval"]
    assert low <= plain["features"][0]["value"] <= high
    with pytest.raises(InvalidParameter, match="no feature is 'nothing'"):
        many.plot_dependence("nothing")
