"""A mitigation comes back from its file and answers to the bit as before; what cannot be written says what to do."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import ganglion as gg
from ganglion.errors import InvalidModel, InvalidParameter
from ganglion.fairness.debias import debias
from ganglion.fairness.debiased import NotFitted

RNG = np.random.default_rng(0)
N = 300
SEX = np.where(RNG.random(N) < 0.5, "m", "f")
FRAME = pd.DataFrame({"skill": RNG.normal(size=N), "age": RNG.integers(18, 80, N), "sex": SEX})
HIRED = np.where(FRAME["skill"] + 0.8 * (SEX == "m") + RNG.normal(0, 0.5, N) > 0.5, "yes", "no")
NET = {"hidden": (3,), "epochs": 2, "random_state": 0, "threads": 1}


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("reweighing", {"sensitive": "sex", "hide": True}),
        ("adversarial", {"sensitive": ["sex", "age"]}),
        ("constraints", {"sensitive": "sex", "max_iter": 4}),
        ("thresholds", {"sensitive": "sex"}),
        ("thresholds", {"sensitive": "age", "slack": 0.05, "holdout": 0.0}),
        ("thresholds", {"constraint": "demographic_parity"}),
    ],
)
def test_round_trip(method, settings, tmp_path):
    model = debias(gg.MLPClassifier(**NET), method, **settings)
    own = {} if settings.get("sensitive") else {"sensitive": {"sex": SEX}}
    model.fit(FRAME, HIRED, **own)
    model.save(tmp_path / "fair.ganglion")
    again = gg.load(tmp_path / "fair.ganglion")
    asked = own if method == "thresholds" else {}
    assert type(again) is type(model)
    assert np.array_equal(again.predict_proba(FRAME, **asked), model.predict_proba(FRAME, **asked))
    assert np.array_equal(again.predict(FRAME, **asked), model.predict(FRAME, **asked))
    assert again.n_features_in_ == model.n_features_in_ == 3
    for name, value in settings.items():
        assert getattr(again, name) == value
    again.save(tmp_path / "twice.ganglion")
    twice = gg.load(tmp_path / "twice.ganglion")
    assert np.array_equal(twice.predict_proba(FRAME, **asked), model.predict_proba(FRAME, **asked))
    again.fit(FRAME, HIRED, **own)  # it is an estimator as before


@pytest.mark.parametrize("labels", [HIRED == "yes", (HIRED == "yes").astype(int), HIRED.astype(object), HIRED])
def test_labels_keep_their_type(labels, tmp_path):
    model = debias(gg.MLPClassifier(**NET), sensitive="sex").fit(FRAME, labels)
    model.save(tmp_path / "m")
    again = gg.load(tmp_path / "m")
    assert again.classes_.dtype == model.classes_.dtype
    assert np.array_equal(again.classes_, model.classes_)


def test_the_file_says_what_it_is_and_who_was_in_no_group(tmp_path):
    model = debias(gg.MLPClassifier(**NET), "thresholds", sensitive="sex").fit(FRAME, HIRED)
    model.save(tmp_path / "m")
    with zipfile.ZipFile(tmp_path / "m") as file:
        manifest, card = json.loads(file.read("manifest.json")), file.read("README.md").decode()
    assert manifest["wrapper"] == "Thresholded"
    assert len(manifest["rule"]["thresholds"]) == 2
    assert len(json.dumps(manifest["columns"])) < 200  # names, not the rows of training
    assert "## Groups kept alike" in card
    assert "constraint=equalized_odds" in card


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(InvalidParameter, match="LogisticRegression, of which no file can be written"):
        debias(LogisticRegression(), sensitive=2).fit(FRAME.assign(sex=SEX == "m").to_numpy(float), HIRED).save(
            tmp_path / "m"
        )
    with pytest.raises(NotFitted):
        debias(gg.MLPClassifier(**NET)).save(tmp_path / "m")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wrapper", "os.system"),
        ("wrapper", "Debiased"),
        ("networks", []),
        ("classes", {"dtype": "V8", "values": [0, 1]}),
        ("classes", {"dtype": "<i8", "values": [[0], {}]}),
        ("columns", [{"name": "sex"}]),
        ("options", {"sensitive": "sex", "sharpness": 3}),
        ("rule", {"thresholds": "none"}),
        ("rule", {"thresholds": [[["x", 1.0]]]}),
    ],
)
def test_files_that_lie_are_refused(key, value, tmp_path):
    from ganglion.storage import read_model, write_model

    debias(gg.MLPClassifier(**NET), "thresholds", sensitive="sex").fit(FRAME, HIRED).save(tmp_path / "m")
    manifest, tensors = read_model(tmp_path / "m")
    write_model(tmp_path / "m", manifest | {key: value}, tensors, "")
    with pytest.raises(InvalidModel):
        gg.load(tmp_path / "m")
