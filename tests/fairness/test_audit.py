"""`audit` and `audit_scores`: hand-computed tables, fairlearn's figures, and what is refused."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fl
from scipy.stats import binomtest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ganglion.algorithms.mlp import MLPClassifier
from ganglion.data.convert import as_dataset
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.evaluation.proportions import wilson
from ganglion.fairness.audit import audit, audit_scores

EVIL = '<script>alert("x")</script>&\''
TRUE = np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
SAID = np.array([1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
WHO = np.array(["a"] * 8 + ["b"] * 8)


def scored(n: int = 1500, seed: int = 0):
    """Return truth, probabilities, and two sensitive columns of which one matters."""
    rng = np.random.default_rng(seed)
    sex, race = rng.choice(["f", "m"], n), rng.choice(["x", "y", "z"], n, p=[0.6, 0.3, 0.1])
    score = rng.uniform(size=n) ** np.where(sex == "f", 2, 1)
    return (rng.uniform(size=n) < score).astype(int), score, sex, race


def test_rates_are_those_of_a_table_made_by_hand():
    section = audit_scores(TRUE, SAID, {"who": WHO}, min_group=1).section()
    a, b = (section.group(name).rates for name in "ab")
    # a: 4 positive of which 3 found, 4 negative of which 1 taken; b: 2 positive of which 1 found, 6 negative, none
    by_hand = {
        "base_rate": (1 / 2, 1 / 4),
        "selection_rate": (1 / 2, 1 / 8),
        "tpr": (3 / 4, 1 / 2),
        "fpr": (1 / 4, 0),
        "fnr": (1 / 4, 1 / 2),
        "precision": (3 / 4, 1),
        "accuracy": (3 / 4, 7 / 8),
    }
    for name, values in by_hand.items():
        assert (a[name].value, b[name].value) == pytest.approx(values), name
    gaps = {name: gap.estimate.value for name, gap in section.gaps.items()}
    assert gaps == pytest.approx(
        {
            "demographic_parity_difference": 3 / 8,
            "demographic_parity_ratio": 1 / 4,
            "equalized_odds_difference": 1 / 4,
            "equal_opportunity_difference": 1 / 4,
            "fpr_difference": 1 / 4,
            "precision_difference": 1 / 4,
            "accuracy_difference": 1 / 8,
        }
    )
    assert (section.gaps["demographic_parity_ratio"].most, section.gaps["demographic_parity_ratio"].least) == ("a", "b")


@pytest.mark.parametrize("weighted", [False, True])
def test_figures_are_fairlearns(weighted):
    y, score, sex, race = scored()
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    found = audit_scores(y, score, {"sex": sex, "race": race}, sample_weight=weight, n_bootstrap=40)
    said, options = (score >= 0.5).astype(int), {"sample_weight": weight}
    for name, column in (("sex", sex), ("race", race)):
        section = found.section(name)
        frame = fl.MetricFrame(
            metrics={
                "selection_rate": fl.selection_rate,
                "tpr": fl.true_positive_rate,
                "fpr": fl.false_positive_rate,
                "fnr": fl.false_negative_rate,
            },
            y_true=y,
            y_pred=said,
            sensitive_features=column,
            sample_params=dict.fromkeys(("selection_rate", "tpr", "fpr", "fnr"), options),
        )
        for group, row in frame.by_group.iterrows():
            ours = {rate: section.group(str(group)).rates[rate].value for rate in row.index}
            assert ours == pytest.approx(row.to_dict())
        for gap in ("demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference"):
            theirs = getattr(fl, gap)(y, said, sensitive_features=column, **options)
            assert section.gaps[gap].estimate.value == pytest.approx(theirs)
        theirs = fl.equal_opportunity_difference(y, said, sensitive_features=column, **options)
        assert section.gaps["equal_opportunity_difference"].estimate.value == pytest.approx(theirs)


def test_calibration_is_mean_score_minus_share():
    y, score, sex, _ = scored()
    rates = audit_scores(y, score, {"sex": sex}, n_bootstrap=40).section().group("f").rates
    f = sex == "f"
    assert rates["calibration"].value == pytest.approx(score[f].mean() - y[f].mean())
    bins = np.ceil(score[f] * 10)
    gaps = [abs((score[f] - y[f])[bins == b].sum()) for b in np.unique(bins)]
    assert rates["calibration_error"].value == pytest.approx(sum(gaps) / f.sum())


@pytest.mark.parametrize(("k", "n"), [(0, 12), (3, 40), (40, 40)])
def test_intervals_of_shares_are_wilsons(k, n):
    theirs = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_interval_of_a_difference_is_that_of_two_independent_shares():
    y, score, sex, _ = scored(4000)
    gap = audit_scores(y, score, {"sex": sex}, n_bootstrap=2000).section().gaps["demographic_parity_difference"]
    p, n = zip(*[((score[sex == s] >= 0.5).mean(), (sex == s).sum()) for s in "fm"], strict=True)
    half = 1.96 * np.sqrt(sum(share * (1 - share) / size for share, size in zip(p, n, strict=True)))
    assert gap.estimate.high - gap.estimate.low == pytest.approx(2 * half, rel=0.08)
    assert gap.estimate.low + gap.estimate.high == pytest.approx(2 * gap.estimate.value, abs=0.01)


def test_more_pairs_make_wider_intervals():
    y, score, sex, race = scored()
    found = audit_scores(y, score, {"sex": sex, "race": race})
    odds = found.section("sex").gaps["equalized_odds_difference"].estimate  # two rates were looked at
    alone = found.section("sex").gaps["equal_opportunity_difference"].estimate
    assert found.section("sex").gaps["equalized_odds_difference"].rate == "tpr"
    assert odds.low < alone.low
    assert odds.high > alone.high


def test_equal_weights_are_none_and_repeats_are_weights():
    y, score, sex, _ = scored(300)
    times = np.random.default_rng(0).integers(1, 4, len(y))
    weighted = audit_scores(y, score, {"sex": sex}, sample_weight=times, n_bootstrap=40).section()
    repeated = audit_scores(*(np.repeat(each, times) for each in (y, score, sex)), n_bootstrap=40).section()
    for group in "fm":
        ours, theirs = (each.group(group).rates for each in (weighted, repeated))
        assert {k: e.value for k, e in ours.items()} == pytest.approx({k: e.value for k, e in theirs.items()})


def test_small_groups_are_shown_and_judge_nothing():
    y, score, sex, _ = scored(400)
    sex = sex.astype(object)
    sex[:5] = "other"
    found = audit_scores(y, score, {"sex": sex}, n_bootstrap=40)
    other = found.section().group("other")
    assert other.n == 5
    assert "too small to judge" in other.too_small
    assert other.rates["selection_rate"].value is not None
    assert all("other" not in (gap.most, gap.least) for gap in found.section().gaps.values())
    assert "other (5)" in " ".join(found.notes)
    assert "too small to judge" in str(found)


def test_a_rate_of_very_few_rows_is_not_compared():
    y = np.r_[np.ones(5, int), np.zeros(95, int), np.ones(50, int), np.zeros(50, int)]
    found = audit_scores(y, y, {"who": np.repeat(["a", "b"], 100)}, n_bootstrap=40).section()
    assert found.gaps["equal_opportunity_difference"].estimate.value is None
    assert "fewer than two groups" in found.gaps["equal_opportunity_difference"].estimate.reason
    assert found.gaps["demographic_parity_difference"].estimate.value == pytest.approx(0.45)


def test_intersections_are_the_groups_that_columns_make_together():
    y, score, sex, race = scored()
    found = audit_scores(y, score, pd.DataFrame({"sex": sex, "race": race}), n_bootstrap=40)
    assert [each.by for each in found.sections] == ["sex", "race", "sex × race"]
    crossed = found.section("sex × race")
    assert [each.name for each in crossed.groups] == ["f, x", "f, y", "f, z", "m, x", "m, y", "m, z"]
    rows = (sex == "f") & (race == "z")
    assert crossed.group("f, z").n == rows.sum()
    assert crossed.group("f, z").rates["selection_rate"].value == pytest.approx((score[rows] >= 0.5).mean())


def test_numbers_are_cut_at_quartiles_or_where_asked():
    y, score, _, _ = scored(800)
    age = np.random.default_rng(0).integers(18, 80, len(y))
    found = audit_scores(y, score, {"age": age}, n_bootstrap=40)
    low, middle, high = np.ceil(np.quantile(age, [0.25, 0.5, 0.75])).astype(int)
    names = [each.name for each in found.section().groups]
    assert names == [f"under {low}", f"{low} to {middle - 1}", f"{middle} to {high - 1}", f"{high} and over"]
    assert f"age is cut at its quartiles, {low}, {middle} and {high}" in found.notes[1]
    asked = audit_scores(y, score, {"age": age}, bins={"age": (25, 40)}, n_bootstrap=40).section()
    assert [(each.name, each.n) for each in asked.groups] == [
        ("under 25", (age < 25).sum()),
        ("25 to 39", ((age >= 25) & (age < 40)).sum()),
        ("40 and over", (age >= 40).sum()),
    ]


def test_missing_values_are_a_group_of_their_own():
    y, score, sex, _ = scored(300)
    sex = sex.astype(object)
    sex[::5] = None
    found = audit_scores(y, score, {"sex": sex}, n_bootstrap=40)
    assert found.section().group("missing").n == 60
    assert "60 of 300 rows have no value" in " ".join(found.notes)


def test_the_positive_class_is_said_and_can_be_asked_for():
    y, score, sex, _ = scored()
    labels = np.where(y == 1, "yes", "no")
    model = LogisticRegression().fit(score[:, None], labels)
    one = audit(model, score[:, None], labels, sensitive={"sex": sex}, n_bootstrap=40)
    other = audit(model, score[:, None], labels, sensitive={"sex": sex}, positive="no", n_bootstrap=40)
    assert "Positive is yes" in one.notes[0]
    first, second = (each.section().group("f").rates for each in (one, other))
    assert first["tpr"].value == pytest.approx(1 - second["fpr"].value)
    assert first["calibration"].value == pytest.approx(-second["calibration"].value)
    with pytest.raises(InvalidParameter, match=r"no class is called 'yess'\. Did you mean 'yes'"):
        audit(model, score[:, None], labels, sensitive={"sex": sex}, positive="yess")


def test_of_several_classes_each_in_turn():
    rng = np.random.default_rng(0)
    X, who = rng.normal(size=(600, 2)), rng.choice(["a", "b"], 600)
    y = np.digitize(X[:, 0] + 0.3 * rng.normal(size=600), [-0.5, 0.5])
    model = LogisticRegression().fit(X, y)
    found = audit(model, X, y, sensitive={"who": who}, n_bootstrap=40)
    assert [each.positive for each in found.sections] == ["0", "1", "2"]
    said = model.predict(X)
    rows = (who == "a") & (y == 2)
    assert found.section(positive=2).group("a").rates["tpr"].value == pytest.approx((said[rows] == 2).mean())
    assert len(audit(model, X, y, sensitive={"who": who}, positive=1, n_bootstrap=40).sections) == 1


def test_numbers_are_compared_by_their_errors():
    rng = np.random.default_rng(0)
    X, who = rng.normal(size=(500, 1)), rng.choice(["a", "b"], 500)
    y = X[:, 0] + (who == "a") + 0.1 * rng.normal(size=500)
    model = LinearRegression().fit(X, y)
    section = audit(model, X, y, sensitive={"who": who}, n_bootstrap=100).section()
    error, a = model.predict(X) - y, who == "a"
    rates = section.group("a").rates
    assert rates["mean_error"].value == pytest.approx(error[a].mean())
    assert rates["mean_truth"].value == pytest.approx(y[a].mean())
    assert rates["mae"].value == pytest.approx(np.abs(error[a]).mean())
    assert rates["rmse"].value == pytest.approx(np.sqrt(np.square(error[a]).mean()))
    assert section.gaps["error_difference"].estimate.value == pytest.approx(error[~a].mean() - error[a].mean())
    assert section.outcome == "unequal"


def test_verdicts():
    rng = np.random.default_rng(0)
    y, who = rng.integers(0, 2, 6000), rng.choice(["a", "b"], 6000)
    assert audit_scores(y, y, {"who": who}).section().outcome == "even"
    unfair = np.where(who == "a", 0, y)
    section = audit_scores(y, unfair, {"who": who}).section()
    assert section.outcome == "unequal"
    assert "0.0 % of a" in section.verdict
    assert "below four fifths" in section.verdict
    assert audit_scores(y[:150], y[:150], {"who": who[:150]}).section().outcome == "undecided"
    nobody = audit_scores(y[:40], y[:40], {"who": np.repeat(["a", "b"], 20)}).section()
    assert nobody.outcome == "not judged"
    assert "Fewer than two groups" in nobody.verdict


class TestOfModels:
    y, score, sex, race = scored(600)
    frame = pd.DataFrame({"score": score, "sex": sex, "race": race})

    def model(self, columns):
        given = self.frame[columns]
        words = [name for name in columns if name != "score"]
        inner = make_pipeline(
            make_column_transformer((OneHotEncoder(), words), remainder="passthrough"), LogisticRegression()
        )
        return inner.fit(given, self.y)

    def test_a_column_that_the_model_was_not_given(self):
        model = self.model(["score", "race"])
        by_name = audit(model, self.frame, self.y, sensitive="sex", n_bootstrap=40)
        by_value = audit(model, self.frame[["score", "race"]], self.y, sensitive={"sex": self.sex}, n_bootstrap=40)
        assert by_name.to_dict()["sections"] == by_value.to_dict()["sections"]
        assert by_name.model == "LogisticRegression"

    def test_a_column_that_the_model_was_given(self):
        model = self.model(["score", "sex", "race"])
        found = audit(model, self.frame, self.y, sensitive=["sex", "race"], n_bootstrap=40)
        said = model.predict(self.frame)
        f = self.sex == "f"
        assert found.section("sex").group("f").rates["selection_rate"].value == pytest.approx(said[f].mean())

    @pytest.mark.parametrize("form", ["frame", "dataset", "mapping"])
    def test_our_estimators_in_every_form(self, form):
        data = self.frame.assign(label=self.y)
        whole = as_dataset(data).with_target("label")
        model = MLPClassifier(hidden=(4,), epochs=2, random_state=0).fit(self.frame[["score", "race"]], self.y)
        given = {
            "frame": (self.frame, self.y),
            "dataset": (whole, None),
            "mapping": ({name: self.frame[name].to_list() for name in self.frame}, self.y),
        }[form]
        found = audit(model, *given, sensitive=["sex"], n_bootstrap=40)
        said = model.predict(self.frame[["score", "race"]])
        f = self.sex == "f"
        assert found.section("sex").group("f").rates["selection_rate"].value == pytest.approx(said[f].mean())

    def test_places_of_arrays(self):
        X = np.column_stack([self.score, self.sex == "f"])
        model = LogisticRegression().fit(X, self.y)
        found = audit(model, X, self.y, sensitive=1, n_bootstrap=40)
        assert [each.n for each in found.section("column 1").groups] == [
            (self.sex == "m").sum(),
            (self.sex == "f").sum(),
        ]


X, Y = np.random.default_rng(0).normal(size=(60, 2)), np.tile([0, 1], 30)
FITTED = LogisticRegression().fit(X, Y)
FRAME = pd.DataFrame(X, columns=["one", "two"])
NAMED = LogisticRegression().fit(FRAME, Y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: audit(NAMED, FRAME, Y, sensitive="tow"), "no column is called 'tow'. Did you mean 'two'"),
        (lambda: audit(NAMED, FRAME, Y, sensitive=["one", "tow"]), "no column is called 'tow'"),
        (lambda: audit(FITTED, X, Y, sensitive="two"), "X has no named columns"),
        (lambda: audit(FITTED, X, Y, sensitive=5), "X has 2 columns. Give a place from 0 to 1"),
        (lambda: audit(FITTED, X, Y, sensitive={"s": ["a"] * 60}), "constant .'a' in every row."),
        (lambda: audit(FITTED, X, Y, sensitive={"s": ["a", "b"]}), "has 2 values, but there are 60 rows"),
        (lambda: audit(FITTED, X, Y, sensitive=None), "sensitive is missing"),
        (lambda: audit(FITTED, X, sensitive={"s": Y}), "y is missing"),
        (lambda: audit(FITTED, X, Y[:50], sensitive={"s": Y}), "X has 60 rows and y has 50"),
        (lambda: audit(FITTED, X, Y, sensitive={"s": [f"p {i}" for i in range(60)]}, min_group=0), "min_group=0"),
        (lambda: audit(FITTED, X, Y, sensitive={"s": Y}, tolerance=2), "tolerance=2"),
        (lambda: audit(FITTED, X, Y, sensitive={"s": Y}, bins={"t": (1,)}), "bins name 't'"),
        (lambda: audit(FITTED, X, Y, sensitive={"s": Y}, bins={"s": (2, 1)}), "numbers that rise"),
        (lambda: audit(FITTED, X, Y, sensitive={"s": np.zeros((60, 2, 2))}), "has 3 axes"),
        (lambda: audit(OneHotEncoder().fit(X), X, Y, sensitive={"s": Y}), "which cannot predict"),
        (lambda: audit_scores(Y, Y[:9], {"s": Y}), "rows"),
        (lambda: audit_scores(Y, np.where(Y, np.nan, 0.2), {"s": Y}), "y_pred is missing"),
        (lambda: audit_scores(Y, 5.0 * Y - 1, {"s": Y}), "Give threshold"),
        (lambda: audit_scores(["a", "b"] * 30, ["a", "c"] * 30, {"s": Y}), "labels that y_true has not: c"),
        (lambda: audit_scores(np.zeros(60), Y, {"s": Y}), "'0.0' in every row"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises((InvalidInput, InvalidParameter), match=message):
        call()


def test_a_model_of_another_task_is_refused():
    from ganglion.algorithms.segmentation_cnn import SegmentationCNN

    images = np.zeros((4, 16, 16), dtype=np.uint8)
    images[:, 4:] = 200
    masks = (images > 0).astype(np.uint8)
    model = SegmentationCNN(epochs=1, random_state=0).fit(images, masks)
    with pytest.raises(InvalidInput, match="does segmentation, but an audit compares one class or number a row"):
        audit(model, images, masks, sensitive={"s": [0, 1, 0, 1]})


class TestShown:
    who = np.where(WHO == "a", EVIL, "b")
    found = audit_scores(
        np.where(TRUE, EVIL, "no"), np.where(SAID, EVIL, "no"), {EVIL: who}, positive=EVIL, min_group=1
    )

    def test_the_page_fetches_nothing_and_escapes_everything(self, tmp_path):
        page = self.found.to_html(tmp_path / "page.html")
        assert (tmp_path / "page.html").read_text() == page
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "<script" not in page
        ET.fromstring(re.search(r"<main.*</main>", self.found._repr_html_(), re.DOTALL).group().replace("&nbsp;", " "))

    def test_charts_are_svg(self, tmp_path):
        charts = self.found.plot()
        assert list(charts) == [EVIL]
        ET.fromstring(charts[EVIL].svg)

    def test_json(self):
        content = json.loads(self.found.to_json())
        assert content == json.loads(json.dumps(self.found.to_dict()))
        assert content["sections"][0]["groups"][0]["n"] == 8
        assert content["sections"][0]["gaps"]["demographic_parity_ratio"]["estimate"]["value"] == 0.25

    def test_the_terminal_shows_figures(self):
        text = str(self.found)
        assert "50.0 %" in text
        assert "disparate impact" in text
        assert repr(self.found).startswith("Audit(scores, 16 rows")
