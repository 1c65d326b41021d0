"""`torchrun -m ganglion train`: what one process does, said and written once."""

import os
import subprocess
import sys

import pytest
import torch.distributed as dist

import ganglion as gg
from ganglion.training.history import History

from .conftest import table, write

pytestmark = pytest.mark.skipif(not (dist.is_available() and dist.is_gloo_available()), reason="torch without gloo")

TORCHRUN = ["timeout", "200", sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
SETTINGS = ["-t", "rich", "--set", "epochs=3", "--set", "batch_size=30", "--set", "hidden=8", "--no-baselines"]


def train(folder, *words):
    return subprocess.run(
        [*TORCHRUN, "-m", "ganglion", "train", "people.csv", *SETTINGS, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "80", "OMP_NUM_THREADS": "1"},
    )


def test_training_under_torchrun_is_that_of_one_process_and_said_once(ganglion, tmp_path):
    write(tmp_path / "people.csv", table(301))
    alone = ganglion("train", "people.csv", *SETTINGS, "-o", "alone")
    both = train(tmp_path, "-o", "both", "--checkpoint", "run")
    assert (alone.code, both.returncode) == (0, 0), both.stderr
    assert both.stdout.replace("both", "alone") == alone.out
    for line in ("rows to train on", "epoch 1/3", "epoch 3/3", "saved both"):
        assert both.stderr.count(line) == 1
    models = [gg.load(tmp_path / name) for name in ("alone", "both")]
    X = gg.read(tmp_path / "people.csv", target="rich").X_y()[0]
    assert models[1].predict_proba(X) == pytest.approx(models[0].predict_proba(X), abs=1e-9)
    assert models[1].metrics_["accuracy"] == models[0].metrics_["accuracy"]
    assert History.read(tmp_path / "run").rows == models[1].history_.rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "both", "people.csv", "run"]


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_speaks_before_the_others(ganglion, people, monkeypatch, rank):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", str(rank))
    waited = []
    monkeypatch.setattr("ganglion.cli.main.time.sleep", lambda seconds: waited.append(seconds))
    ran = ganglion("train", people, *SETTINGS, "--set", "epochs=0")
    assert ran.code == 2
    assert "epochs is an integer at least 1 or 'auto'" in ran.err
    assert len(waited) == rank


@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "thorough", reason="its parts are tested above, in no time")
def test_what_no_worker_can_do_is_said_once(tmp_path):
    write(tmp_path / "people.csv", table(50))
    ran = train(tmp_path, "--set", "epochs=0")
    assert ran.returncode != 0
    assert ran.stderr.count("error: MLPClassifier(epochs=0): epochs is an integer at least 1 or 'auto'") == 1
    assert ran.stderr.count("error: ") == 1
    assert not (tmp_path / "model.ganglion").exists()
