"""Models by name and version; a changed file takes the old one's place, a damaged one does not."""

import os
import shutil

import numpy as np
import pytest
from tests.serving.asking import get, post, service_of

import ganglion as gg
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.serving.shelf import named
from ganglion.errors import InvalidModel

X = np.random.default_rng(0).normal(size=(60, 2))


@pytest.fixture(scope="module")
def models():
    return [gg.MLPRegressor(hidden=(2,), epochs=1, random_state=i).fit(X, X[:, 0] * 10 * i) for i in range(2)]


@pytest.fixture
def served(models, tmp_path):
    models[0].save(tmp_path / "m.ganglion")
    return service_of(str(tmp_path / "m.ganglion"), None), tmp_path / "m.ganglion"


def said(service):
    return post(service, "/predict", json=[[1.0, 2.0]]).json()["predictions"]


def touched(path):
    """Make the file newer than it was, whatever the resolution of the disk's clock."""
    later = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))


def test_a_changed_file_is_loaded_anew(models, served):
    service, path = served
    before = said(service)
    assert before == pytest.approx(models[0].predict([[1.0, 2.0]]).tolist())
    service.shelf.look_again()
    assert service.shelf.find().reloads == 0
    models[1].save(path)
    service.shelf.look_again()
    assert said(service) == pytest.approx(models[1].predict([[1.0, 2.0]]).tolist())
    assert said(service) != before
    assert get(service, "/health").json()["models"][0]["reloads"] == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "pickle", "gone"])
def test_a_damaged_file_leaves_the_old_model(models, served, damage):
    service, path = served
    before = said(service)
    raw = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": raw[:-100], "empty": b"", "pickle": b"\x80\x04."}[damage])
        touched(path)
    service.shelf.look_again()
    assert said(service) == before
    (health,) = get(service, "/health").json()["models"]
    assert health["status"] == "old"
    assert "old model goes on" in health["problem"] or "goes on" in health["problem"]
    assert 'ganglion_model_problem{model="m",version="1"} 1' in get(service, "/metrics").text
    path.write_bytes(raw)
    touched(path)
    service.shelf.look_again()
    assert get(service, "/health").json()["models"][0]["status"] == "ok"


def test_a_request_is_answered_by_the_model_that_read_it(models, served):
    service, path = served
    shelved = service.shelf.find()
    old = Asked(shelved.backend, rows=[[1.0, 2.0]])
    other = gg.MLPRegressor(hidden=(2,), epochs=1, random_state=0).fit(np.c_[X, X], X.sum(axis=1))
    other.save(path)
    service.shelf.look_again()
    new = Asked(shelved.backend, rows=[[1.0, 2.0, 3.0, 4.0]])
    answers = shelved.answer_all([old, new, old])
    for answer, model, row in zip(
        answers, (models[0], other, models[0]), ([1.0, 2.0], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0]), strict=True
    ):
        np.testing.assert_allclose(answer["prediction"], model.predict([row]), rtol=1e-6)


def test_a_file_that_is_damaged_at_the_start_is_refused(served, tmp_path):
    _, path = served
    shutil.copy(path, tmp_path / "cut.ganglion")
    with (tmp_path / "cut.ganglion").open("r+b") as file:
        file.truncate(500)
    with pytest.raises(InvalidModel):
        service_of(str(tmp_path / "cut.ganglion"))


def test_names_come_from_files_or_are_given(tmp_path):
    assert named(["a/x.ganglion", "y=b/z.ganglion", "y=c.ganglion"]) == {
        "x": ["a/x.ganglion"],
        "y": ["b/z.ganglion", "c.ganglion"],
    }
    odd = tmp_path / "a=b.ganglion"
    odd.touch()
    assert named(str(odd)) == {"a=b": [str(odd)]}
    assert named({"m": "p"}) == {"m": ["p"]}
