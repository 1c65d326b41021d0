"""Two workers under `torchrun`, on gloo: what they learn is what one process learns at the same global batch."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch.distributed as dist

import ganglion as gg
from ganglion.training.checkpoint import read_checkpoint
from ganglion.training.history import History

from . import worker
from .worker import FITS, SHARDED, STEP_6, X, Y, every_step, mixed, model, pictures, seconds_left_out, weights

pytestmark = pytest.mark.skipif(not (dist.is_available() and dist.is_gloo_available()), reason="torch without gloo")

TORCHRUN = ["timeout", "200", sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
WORKER = str(Path(worker.__file__))
EXACT = 1e-9  # float64; rounding in another order, and what a few steps make of it


def torchrun(*words, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TORCHRUN, *map(str, words)], capture_output=True, text=True, env=ENVIRONMENT, **options)


def found(folder: Path, rank: int = 0) -> dict:
    return json.loads((folder / f"found.{rank}.json").read_text())


def kept(folder: Path, name: str, rank: int = 0) -> dict[str, np.ndarray]:
    return dict(np.load(folder / f"{name}.{rank}.npz"))


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    assert one.keys() == other.keys()
    return max(float(np.abs(one[name].astype(float) - other[name]).max()) for name in one)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The folder in which two workers have done all of the task `fits`."""
    folder = tmp_path_factory.mktemp("both")
    model(**SHARDED["sharded adam"]).fit(X, Y, checkpoint=every_step(folder / "alone"))
    ran = torchrun(WORKER, "fits", folder)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.mark.parametrize("name", [*FITS, *SHARDED])
def test_two_workers_learn_what_one_process_learns(both, name):
    alone = model(**(FITS | SHARDED)[name]).fit(X, Y)
    tolerance = 1e-5 if "float32" in name else EXACT
    assert difference(kept(both, name), weights(alone)) <= tolerance
    assert difference(kept(both, name, 0), kept(both, name, 1)) == 0
    history = seconds_left_out(alone.history_)
    assert len(found(both)[name]) == len(history)  # patience ended both in the same epoch
    for row, expected in zip(found(both)[name], history, strict=True):
        assert row == pytest.approx(expected, abs=tolerance)
    assert found(both, 0)[name] == found(both, 1)[name]


def test_a_seed_that_no_one_gave_is_the_same_for_all(both):
    assert difference(kept(both, "drawn", 0), kept(both, "drawn", 1)) == 0


def test_two_objectives(both):
    assert difference(kept(both, "two objectives"), weights(worker.two_objectives())) <= EXACT


@pytest.mark.parametrize("name", ["pictures", "sharded pictures"])
def test_convolutions(both, name):
    alone = pictures().fit(X.reshape(-1, 8, 8), Y)
    assert difference(kept(both, name), weights(alone)) <= EXACT


def test_an_algorithm_without_gradients_is_trained_by_each(both):
    alone = gg.Perceptron(random_state=0, epochs=3).fit(X, Y)
    assert found(both, 0)["perceptron"] == found(both, 1)["perceptron"] == seconds_left_out(alone.history_)


def test_only_the_first_worker_writes(both):
    assert found(both, 0)["written"] == ["steps of 0", "model.0"]
    assert found(both, 1)["written"] == []
    rows = History.read(both / "steps of 0").rows
    assert [row["step"] for row in rows] == [row["step"] for row in found(both)["stopped"]]


def test_one_process_goes_on_from_the_checkpoint_of_two(both):
    resumed = model(**FITS["stopped"]).fit(X, Y, resume=both / "steps of 0" / STEP_6)
    assert difference(weights(resumed), weights(model(**FITS["stopped"]).fit(X, Y))) <= EXACT
    assert difference(weights(gg.load(both / "model.0")), weights(resumed)) <= EXACT


def test_a_category_and_a_layer_with_fewer_units_than_workers_in_parts(both):
    assert difference(kept(both, "sharded mixed"), weights(model(batch_size=32).fit(*mixed()))) <= EXACT


def test_parts_go_on_from_the_checkpoint_of_one_process_and_back(both):
    alone = weights(model(**SHARDED["sharded adam"]).fit(X, Y))
    assert difference(kept(both, "sharded resumed"), alone) <= EXACT
    tensors = read_checkpoint(both / "in parts" / STEP_6)[1].tensors
    assert tensors["network.body.0.layers.0.weight"].shape == (16, 64)
    assert tensors["optimizer.0.mean.0"].shape == (16, 64)
    resumed = model(**SHARDED["sharded adam"]).fit(X, Y, resume=both / "in parts" / STEP_6)
    assert difference(weights(resumed), alone) <= EXACT


def test_each_worker_holds_half_and_gets_the_whole_back(both):
    sizes = [parameter.numel() for parameter in model(epochs=1).fit(X, Y).network_.parameters()]
    assert np.add(found(both, 0)["held"], found(both, 1)["held"]).tolist() == sizes
    assert found(both, 0)["held"] == found(both, 1)["held"] == [size // 2 for size in sizes]
    assert not any("FSDP" in kind for kind in found(both)["kinds"])


def test_a_network_is_cut_if_it_would_fill_the_memory(both):
    """4 copies of 75 · 64 + 10 numbers are 154 kB, of 75 · 256 + 10 they are 615 kB; 262 kB are each worker's half."""
    assert found(both, 0)["chosen"] == found(both, 1)["chosen"] == {"64": False, "256": True}


@pytest.mark.parametrize(
    ("name", "kinds", "says"),
    [
        ("all", ("InvalidParameter", "InvalidParameter"), "epochs is an integer at least 1"),
        ("one", ("WorkerFailed", "InvalidInput"), "column 'x4' holds infinity in row 3"),
        ("other data", ("InvalidInput", "InvalidInput"), "1 of 2 is about to train something else than worker 0"),
        ("fewer rows", ("InvalidInput", "InvalidInput"), "batches an epoch 4, not 6"),
        ("other folder", ("InvalidInput", "InvalidInput"), "steps in the checkpoint 0, not 28"),
        ("diverged", ("TrainingDiverged", "TrainingDiverged"), "it first appeared in the output of the layer"),
        ("sharded diverged", ("TrainingDiverged", "TrainingDiverged"), "in one of the parts of the network"),
        ("sharded muon", ("InvalidParameter", "InvalidParameter"), "Choose adamw, adam, sgd"),
        ("sharded lbfgs", ("InvalidParameter", "InvalidParameter"), "or sharded=False"),
    ],
)
def test_what_one_cannot_do_ends_all_and_they_stay_together(both, name, kinds, says):
    told = [found(both, rank)["failures"][name] for rank in (0, 1)]
    assert tuple(kind for kind, _ in told) == kinds
    assert all(says in text for _, text in told)
    assert told[0][1] == told[1][1] or told[0][1] == f"worker 1 of 2: {told[1][1]}"


def test_the_group_outlives_failures_and_no_thread_outlives_the_group(both):
    assert found(both)["still together"] == found(both)["adamw"]
    assert [found(both, rank)["threads of gloo"] for rank in (0, 1)] == [[], []]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """The folder in which two workers had three lives, until a SIGTERM ended the last; what was said, and how it ended.

    One launch for three tests: each start of Python and torch takes seconds.
    """
    folder = tmp_path_factory.mktemp("lived")
    command = [*TORCHRUN, "--max-restarts", "2", WORKER, "lives", str(folder)]
    with (
        (folder / "stderr").open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=ENVIRONMENT) as launcher,
    ):
        said = launcher.stdout.readline()
        saved_before = list((folder / "endless").glob("step-*"))
        launcher.send_signal(signal.SIGTERM)  # `timeout` hands it on
        said += launcher.communicate()[0]
    assert said == b"trains\n", (folder / "stderr").read_text()  # the second worker says nothing
    assert not saved_before
    return folder, (folder / "stderr").read_text(), launcher.returncode


def test_an_error_of_the_user_s_own_keeps_nobody_waiting(lived):
    _, stderr, _ = lived
    assert "ZeroDivisionError: a callback of the user's" in stderr
    assert "Timed out" not in stderr


def test_a_killed_worker_restarts_to_the_same_bits(lived):
    folder, stderr, _ = lived
    assert "exitcode: -9" in stderr
    for rank in (0, 1):
        assert found(folder, rank)["life"] == 2
        assert difference(kept(folder, "restarted", rank), kept(folder, "never killed", rank)) == 0


def test_a_sigterm_to_the_launcher_saves(lived):
    folder, _, code = lived
    assert code != 0
    _, snapshot = read_checkpoint(folder / "endless")
    assert snapshot.numbers["step"] >= 6
    assert snapshot.numbers["history"]["rows"]
