"""Two workers learn what one process learns at the same global batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import ganglion as gg
from ganglion.training.distribution import Workers

X, Y = (part[:603] for part in load_digits(return_X_y=True))  # 603: the last batch has a rest of an odd number
RUNS = {
    "adamw": {"optimizer": "adamw"},
    "clipped": {"optimizer": "sgd", "clip_norm": 1.0},
    "lbfgs": {"optimizer": "lbfgs", "epochs": 8},
    "penalised": {"optimizer": "adam", "weight_decay": 0.01},
}
SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from test_distribution import RUNS, fitted
for name in RUNS:
    fitted(name, checkpoint={folder!r} + "/" + name, resume=True).save({folder!r} + "/" + name + ".ganglion")
"""


def fitted(name: str, **saving):
    model = gg.MLPClassifier(**{"hidden": (16,), "random_state": 0, "epochs": 3, "batch_size": 100, **RUNS[name]})
    return model.fit(X, Y, **saving)


def torchrun(script: Path) -> subprocess.CompletedProcess[str]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, str(script)], capture_output=True, text=True, env=environment, timeout=120)


def test_two_workers_equal_one_process(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent), folder=str(tmp_path)))
    ran = torchrun(script)
    assert ran.returncode == 0, ran.stderr[-2000:]
    for name in RUNS:
        both, one = gg.load(tmp_path / f"{name}.ganglion"), fitted(name)
        np.testing.assert_allclose(both.predict_proba(X), one.predict_proba(X), atol=1e-5)
        np.testing.assert_allclose(both.history_["loss"], one.history_["loss"], rtol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("n", [1, 2, 4])
def test_scaled_means_of_the_shares_are_the_mean_of_the_batch(size, n):
    batch = {"x": torch.arange(size, dtype=torch.float64) ** 2}
    means = []
    for rank in range(n):
        own, scale = Workers(rank, n).share(batch)
        means.append(own["x"].mean() * scale)
    assert torch.stack(means).mean().item() == pytest.approx(batch["x"].mean().item())


def test_an_ordinary_process_is_alone():
    alone = Workers()
    assert alone.speaks
    assert alone.same(7) == 7
    assert alone.most(3) == 3
