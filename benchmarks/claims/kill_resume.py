"""A run that is killed by SIGKILL at 500 random moments, during saves too, ends with the bits of one never killed."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

KILLS = 500
LONGEST_LIFE_S = 0.6
DONE = "done"


def claim() -> dict[str, Any]:
    """Kill, resume, compare, until 500 kills are done."""
    import torch

    torch.set_num_threads(1)  # a forked process has no threads of its parent's pool
    start, killed, runs, same = time.perf_counter(), 0, 0, 0
    expected = {name: _weights(name, None) for name in RUNS}
    rng = random.Random(0)
    during_save = 0
    while killed < KILLS:
        name = list(RUNS)[runs % len(RUNS)]
        folder = Path(tempfile.mkdtemp(prefix="ganglion-kill-"))
        while not (folder / DONE).exists():
            before = set(folder.glob(".*"))
            killed += _live(name, folder, rng.uniform(0.0, LONGEST_LIFE_S))
            during_save += bool(set(folder.glob(".*")) - before)  # a temporary file that was never renamed
        runs, same = runs + 1, same + ((folder / DONE).read_text() == expected[name])
        shutil.rmtree(folder)
    return {
        "claim": f"killed by SIGKILL at {killed} random moments, a resumed run ends with the bits of one never killed",
        "holds": same == runs,
        "kills": killed,
        "kills_during_a_save": during_save,
        "runs": runs,
        "runs_with_the_same_bits": same,
        "seconds": time.perf_counter() - start,
        "algorithms": list(RUNS),
    }


RUNS: dict[str, dict[str, Any]] = {
    "MLPClassifier with dropout and batch norm": {"dropout": 0.2, "normalization": "batch", "epochs": 8},
    "MLPClassifier with L-BFGS": {"optimizer": "lbfgs", "epochs": 40},
    "MLPClassifier with Muon and plateau": {"optimizer": "muon", "schedule": "plateau(patience=1)", "epochs": 5},
    "Perceptron": {"epochs": 30},
}


def _live(name: str, folder: Path, seconds: float) -> bool:
    """Let a run live for some seconds in a process of its own, then kill it; returns whether it had to be killed."""
    child = os.fork()
    if child == 0:
        try:
            digest = _weights(name, folder)
            (folder / DONE).write_text(digest)
        finally:
            os._exit(0)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _weights(name: str, folder: Path | None) -> str:
    """Fit, saving at every step, and return a digest of the weights."""
    from sklearn.datasets import load_digits

    from ganglion.algorithms.mlp import MLPClassifier
    from ganglion.algorithms.perceptron import Perceptron
    from ganglion.training.checkpoint import Checkpoints

    X, y = load_digits(return_X_y=True)
    model = (
        Perceptron(random_state=0, **RUNS[name])
        if name == "Perceptron"
        else MLPClassifier(hidden=(32,), random_state=0, **RUNS[name])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if folder is None:
            model.fit(X, y)
        else:
            model.fit(X, y, checkpoint=Checkpoints(folder=folder, steps=1, seconds=None), resume=True)
    digest = hashlib.sha256()
    for tensor in model.network_.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
