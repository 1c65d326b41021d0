"""`audit_data`: who is there, how labels are spread, and planted proxies."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ganglion.errors import InvalidInput
from ganglion.fairness.data_audit import audit_data
from ganglion.fairness.groups import read_groups
from ganglion.fairness.proxies import ALL, _area


def table(seed: int = 0, n: int = 1200) -> pd.DataFrame:
    """Return a table with a numeric and a categorical proxy of `sex`, one that needs two columns, and noise."""
    rng = np.random.default_rng(seed)
    m = rng.uniform(size=n) < 0.6
    a = rng.normal(size=n)
    return pd.DataFrame(
        {
            "sex": np.where(m, "m", "f"),
            "height": rng.normal(size=n) + 1.5 * m,
            "title": np.where(rng.uniform(size=n) < 0.85, m, ~m),
            "noise": rng.normal(size=n),
            "word": rng.choice(["x", "y", "z"], n),
            "a": a,
            "b": np.where(m, 1, -1) * np.sign(a) * rng.uniform(0.1, 1, n),
            "hired": np.where(rng.uniform(size=n) < np.where(m, 0.5, 0.3), "yes", "no"),
        }
    )


def test_groups_and_labels_are_counted():
    data = table()
    found = audit_data(data, "hired", sensitive="sex", n_bootstrap=40)
    spread = found.spreads[0]
    for group in spread.groups:
        rows = data[data.sex == group.name]
        assert group.n == len(rows)
        assert group.share.value == pytest.approx(len(rows) / len(data))
        assert group.label.value == pytest.approx((rows.hired == "yes").mean())
    gap = spread.label_difference
    assert (spread.most, spread.least) == ("m", "f")
    assert gap.low < gap.value < gap.high
    assert any(text.startswith("hired yes differs by sex") for text in found.findings)


def test_proxies_are_found_and_noise_is_not():
    proxies = {each.column: each for each in audit_data(table(), "hired", sensitive="sex").proxies}
    assert {name for name, each in proxies.items() if each.strength == "proxy"} == {"height", "title", ALL}
    assert "hired" not in proxies
    assert "sex" not in proxies
    assert proxies["height"].area.value == pytest.approx(0.855, abs=0.03)  # of two normals 1.5 deviations apart
    assert proxies["noise"].area.value == pytest.approx(0.5, abs=0.06)


def test_columns_that_tell_only_together():
    data = table()[["sex", "a", "b", "noise"]]
    found = audit_data(data, sensitive="sex")
    strengths = {each.column: each.strength for each in found.proxies}
    assert strengths == {"a": "none", "b": "none", "noise": "none", ALL: "proxy"}
    assert "though no column does so alone" in found.findings[0]


def test_areas_are_scikit_learns():
    rng = np.random.default_rng(0)
    codes, scores = rng.integers(0, 3, 200), rng.uniform(size=(200, 3)).round(1)
    value, samples = _area(scores, codes, 40, 0)
    assert value == pytest.approx(np.mean([roc_auc_score(codes == g, scores[:, g]) for g in range(3)]))
    assert samples.shape == (40,)


def test_missing_values_and_small_groups_are_told():
    data = table()
    data.loc[data.sex == "f", "height"] = np.where(np.arange((data.sex == "f").sum()) % 2, np.nan, 1.0)
    data.loc[:9, "sex"] = "x"
    found = audit_data(data[["sex", "height", "hired"]], "hired", sensitive="sex", n_bootstrap=40)
    shares = {each.name: each.missing for each in found.spreads[0].groups}
    assert shares["f"] == pytest.approx(0.5, abs=0.01)
    assert shares["m"] == 0
    text = " ".join(found.findings)
    assert "missing more often by sex: 49" in text or "missing more often by sex: 50" in text
    assert "Few rows by sex, below 5% each: x" in text
    assert "too few to compare" in next(each.too_small for each in found.spreads[0].groups if each.name == "x")


def test_numbers_are_averaged_and_arrays_have_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    who = rng.choice(["a", "b"], 400)
    X[:, 2] += 3 * (who == "a")
    found = audit_data(X, X[:, 0], sensitive={"who": who}, n_bootstrap=40)
    assert found.target == "mean target"
    assert found.spreads[0].groups[0].label.value == pytest.approx(X[who == "a", 0].mean())
    assert found.proxies[0].column == "x2"
    place = audit_data(np.column_stack([X, who == "a"]), sensitive=3, n_bootstrap=40)
    assert place.spreads[0].by == "x3"
    assert {each.column for each in place.proxies} == {"x0", "x1", "x2", ALL}


def test_several_columns_are_crossed_but_proxies_are_of_each():
    found = audit_data(table(), "hired", sensitive=["sex", "word"], n_bootstrap=40)
    assert [each.by for each in found.spreads] == ["sex", "word", "sex × word"]
    assert {each.by for each in found.proxies} == {"sex", "word"}
    assert len(found.spreads[2].groups) == 6


def test_what_is_refused():
    with pytest.raises(InvalidInput, match=r"no column is called 'sxe'\. Did you mean 'sex'"):
        audit_data(table(), sensitive="sxe")
    with pytest.raises(InvalidInput, match="target has shape"):
        audit_data(table(), np.zeros(5), sensitive="sex")


def test_it_is_shown(tmp_path):
    found = audit_data(table(n=300), "hired", sensitive="sex", n_bootstrap=40)
    assert "height is a proxy of sex" in str(found)
    assert "Area" not in repr(found)
    page = found.to_html(tmp_path / "page.html")
    assert "<script" not in page
    ET.fromstring(re.search(r"<main.*</main>", page, re.DOTALL).group())
    assert set(found.plot()) == {"sex: rows", "sex: label", "sex: proxies"}
    assert json.loads(found.to_json())["proxies"][0]["column"] in ("height", "title")


def test_groups_of_a_frame_are_those_of_its_values():
    data = table()
    one, other = (read_groups(each, data, len(data))[0] for each in ("sex", {"sex": data.sex.to_list()}))
    assert one.labels == other.labels
    assert (one.codes == other.codes).all()
