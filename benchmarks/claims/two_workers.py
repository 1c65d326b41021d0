"""Two workers under torchrun learn what one process learns at the same global batch, to 1e-5."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
RUNS: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw"},
    "clipped": {"optimizer": "sgd", "clip_norm": 1.0},
    "lbfgs": {"optimizer": "lbfgs", "epochs": 8},
    "penalised": {"optimizer": "adam", "weight_decay": 0.01},
    "batch norm": {"normalization": "batch"},
    "sharded": {"optimizer": "adamw", "sharded": True},
    "sharded, clipped": {"optimizer": "sgd", "clip_norm": 1.0, "sharded": True},
}


def claim() -> dict[str, Any]:
    """Train each run both ways, and compare probabilities."""
    with tempfile.TemporaryDirectory(prefix="ganglion-workers-") as folder:
        ran = subprocess.run(
            [*TORCHRUN, "--standalone", "--nproc-per-node", "2", __file__, folder],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=300,
        )
        differences = differences_in(Path(folder))
    return {
        "claim": "two workers (DDP or FSDP2, gloo) learn what one process learns at the same global batch, to 1e-5",
        "holds": ran.returncode == 0 and max(differences.values()) <= 1e-5,
        "exit code": ran.returncode,
        **differences,
    }


def differences_in(folder: Path) -> dict[str, float]:
    """Return how far the probabilities of each saved model are from those of one process."""
    import numpy as np

    import ganglion as gg

    X, _ = data()
    return {
        name: float(np.abs(gg.load(folder / name).predict_proba(X) - fitted(name).predict_proba(X)).max())
        for name in RUNS
    }


def data() -> Any:
    """Return 603 digits: the last batch of 100 has a rest of an odd number."""
    from sklearn.datasets import load_digits

    return tuple(part[:603] for part in load_digits(return_X_y=True))


def fitted(name: str, **how: Any) -> Any:
    """Fit one of the runs, in whatever process this is; `how` goes to `fit`."""
    import ganglion as gg

    options = {"hidden": (16,), "random_state": 0, "epochs": 3, "batch_size": 100, **RUNS[name]}
    return gg.MLPClassifier(**options).fit(*data(), **how)


if __name__ == "__main__":  # a worker: the first one saves
    for each in RUNS:
        fitted(each).save(Path(sys.argv[1]) / each)
