"""Checkpoints: what is kept, what is refused, what happens when the disk will not have them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

from ganglion.algorithms.mlp import MLPClassifier
from ganglion.errors import InvalidFile, InvalidInput, InvalidModel, InvalidParameter, TrainingWarning
from ganglion.training.checkpoint import Checkpoints, read_checkpoint
from ganglion.training.history import History

X, Y = load_iris(return_X_y=True)


def model(**options):
    return MLPClassifier(**{"hidden": (4,), "epochs": 6, "batch_size": 50, "random_state": 0, **options})


def every_step(folder, **settings):
    return Checkpoints(folder=folder, steps=1, seconds=None, **settings)


def test_the_last_few_and_the_best_are_kept(tmp_path):
    model(validation_fraction=0.2).fit(X, Y, checkpoint=every_step(tmp_path, keep=3))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "best.checkpoint",
        "history.jsonl",
        *(f"step-{step:012d}.checkpoint" for step in (16, 17, 18)),
    ]


def test_the_log_is_the_history(tmp_path):
    fitted = model().fit(X, Y, checkpoint=tmp_path)
    read = History.read(tmp_path)
    assert read.rows == fitted.history_.rows
    assert read.frame()["loss"].tolist() == fitted.history_["loss"]


def test_a_resumed_log_has_every_epoch_once(tmp_path):
    model().fit(X, Y, checkpoint=every_step(tmp_path, keep=18))
    (tmp_path / "step-000000000018.checkpoint").unlink()
    model().fit(X, Y, resume=tmp_path / "step-000000000007.checkpoint")
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert epochs == [1, 2, 3, 4, 5, 6]


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    whole = model().fit(X, Y, checkpoint=every_step(tmp_path))
    newest = tmp_path / "step-000000000018.checkpoint"
    newest.write_bytes(newest.read_bytes()[:-20])
    resumed = model().fit(X, Y, resume=tmp_path)
    np.testing.assert_array_equal(resumed.predict_proba(X), whole.predict_proba(X))


def test_resume_true_starts_where_there_is_nothing(tmp_path):
    started = model().fit(X, Y, checkpoint=tmp_path / "new", resume=True)
    np.testing.assert_array_equal(started.predict_proba(X), model().fit(X, Y).predict_proba(X))
    with pytest.raises(InvalidParameter, match="resume=True needs checkpoint=FOLDER"):
        model().fit(X, Y, resume=True)


def test_another_run_is_refused(tmp_path):
    model().fit(X, Y, checkpoint=every_step(tmp_path))
    with pytest.raises(InvalidModel, match=r"other options: epochs=7 \(then 6\), hidden=\[5\] \(then \[4\]\)"):
        model(hidden=(5,), epochs=7).fit(X, Y, resume=tmp_path)
    with pytest.raises(InvalidInput, match="while training on other data"):
        model().fit(X + 1, Y, resume=tmp_path)
    with pytest.raises(InvalidInput, match="while training on other data"):
        model().fit(X, Y[::-1], resume=tmp_path)
    with pytest.raises(InvalidModel, match="holds no checkpoint"):
        model().fit(X, Y, resume=tmp_path.parent)


def test_a_model_is_no_checkpoint(tmp_path):
    model().fit(X, Y).save(tmp_path / "model.ganglion")
    with pytest.raises(InvalidModel, match="is a model, not a checkpoint"):
        model().fit(X, Y, resume=tmp_path / "model.ganglion")
    with pytest.raises(InvalidFile, match=r"holds no rows of a history|cannot be read as a history"):
        History.read(tmp_path / "model.ganglion")


@pytest.mark.parametrize("settings", [{"keep": 0}, {"seconds": -1}, {"steps": 0}, {"folder": 3}])
def test_settings_are_checked_at_birth(settings, tmp_path):
    with pytest.raises(InvalidParameter, match=rf"Checkpoints\({next(iter(settings))}="):
        Checkpoints(**{"folder": tmp_path, **settings})


def test_a_folder_that_cannot_be_made_stops_no_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(TrainingWarning, match="training goes on without checkpoints") as told:
        fitted = model().fit(X, Y, checkpoint=every_step(tmp_path / "file"))
    assert len([each for each in told if "without checkpoints" in str(each.message)]) == 1
    np.testing.assert_array_equal(fitted.predict_proba(X), model().fit(X, Y).predict_proba(X))


def test_what_a_killed_save_left_is_swept_away(tmp_path):
    (tmp_path / ".step-000000000003.checkpoint.abc").write_bytes(b"half")
    model().fit(X, Y, checkpoint=every_step(tmp_path))
    assert not list(tmp_path.glob(".step*"))


TERMINATED = """
import os, signal, sys
import numpy as np
from sklearn.datasets import load_iris
from ganglion.algorithms.mlp import MLPClassifier
from ganglion.training.checkpoint import Checkpoints
X, y = load_iris(return_X_y=True)
def stop(row, epochs):
    if row["epoch"] == 3:
        os.kill(os.getpid(), signal.SIGTERM)
MLPClassifier(hidden=(4,), epochs=6, batch_size=50, random_state=0).fit(
    X, y, callbacks=[stop], checkpoint=Checkpoints(folder=sys.argv[1], seconds=3600.0)
)
print("went on")
"""


def test_sigterm_saves_the_run_and_then_ends_the_process(tmp_path):
    ran = subprocess.run([sys.executable, "-c", TERMINATED, str(tmp_path)], capture_output=True, text=True)
    assert ran.returncode == -signal.SIGTERM
    assert "went on" not in ran.stdout
    resumed = model().fit(X, Y, resume=tmp_path)
    np.testing.assert_array_equal(resumed.predict_proba(X), model().fit(X, Y).predict_proba(X))
    assert len(resumed.history_) == 6


def test_a_checkpoint_names_what_it_is_of(tmp_path):
    model().fit(X, Y, checkpoint=every_step(tmp_path))
    identity, snapshot = read_checkpoint(tmp_path)
    assert identity["algorithm"] == "MLPClassifier"
    assert identity["seed"] == 0
    assert snapshot.numbers["step"] == 18
    assert os.path.getsize(tmp_path / "step-000000000018.checkpoint") < 100_000
