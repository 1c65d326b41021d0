"""What each worker of `test_workers.py` runs, started by `torchrun` or by itself: `worker.py TASK FOLDER`.

Weights go to FOLDER/NAME.RANK.npz, what was found out to FOLDER/found.RANK.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

import ganglion as gg
from ganglion.errors import GanglionError
from ganglion.training.checkpoint import Checkpoints
from ganglion.training.distribution import leave, workers
from ganglion.training.optimizers import SGD

X, Y = (part[:203] for part in load_digits(return_X_y=True))  # batches of 40 leave a rest of 3: shares of 2 and 1
STEP_6 = "step-000000000006.checkpoint"
RANK = int(os.environ.get("RANK", "0"))

COMMON = {"random_state": 0, "epochs": 3, "batch_size": 40}
EARLY = {"validation_fraction": 0.3, "patience": 2}
FITS: dict[str, dict] = {
    "adamw": {"optimizer": "adamw"},
    "clipped": {"optimizer": "sgd", "clip_norm": 0.5},
    "lbfgs": {"optimizer": "lbfgs", "epochs": 6},
    "penalised": {"optimizer": "adam", "weight_decay": 0.01},
    "batch norm": {"normalization": "batch", "schedule": "plateau(patience=1)"},
    "stopped": {**EARLY, "epochs": 60, "learning_rate": 0.05, "normalization": "batch"},
    "float32": {"precision": "float32"},
}
SHARDED: dict[str, dict] = {
    "sharded adamw": {"optimizer": "adamw", "normalization": "batch"},
    "sharded sgd": {"optimizer": "sgd", "clip_norm": 0.5},
    "sharded adam": {**EARLY, "optimizer": "adam", "weight_decay": 0.01, "epochs": 12},
    "sharded rmsprop": {"optimizer": "rmsprop", "normalization": "layer", "residual": True, "hidden": (16, 16, 16)},
    "sharded float32": {"precision": "float32"},
}


def model(**options):
    """Return an estimator whose single process has a global batch of 40."""
    return gg.MLPClassifier(**{"hidden": (16,), **COMMON, **options})


def pictures(**options):
    """Return a convolutional network for X as pictures, which normalises its batches."""
    return gg.CNNClassifier(**{"channels": (4, 8), "hidden": (8,), "precision": "float64", **options}, **COMMON)


def mixed(n=90):
    """Return a table with a category, and a target of two classes: the last layer has one unit, fewer than workers."""
    rng = np.random.default_rng(0)
    kinds, numbers = rng.choice(["a", "b", "c"], n), rng.normal(size=(n, 2))
    columns = {"kind": kinds.tolist(), "first": numbers[:, 0], "second": numbers[:, 1]}
    return columns, np.where(numbers[:, 0] + (kinds == "a") > 0.3, "yes", "no")


def weights(estimator):
    """Return the state of a fitted network, by name."""
    return {name: tensor.numpy() for name, tensor in estimator.network_.state_dict().items()}


def every_step(folder):
    return Checkpoints(folder=folder, steps=1, seconds=None, keep=1000)


def main(task: str, folder: Path) -> None:
    """Run a task, and write down what came of it."""
    found: dict = {}
    TASKS[task](folder, found)
    note(folder, found)


def note(folder: Path, found: dict) -> None:
    (folder / f"found.{RANK}.json").write_text(json.dumps(found))


def keep(folder: Path, name: str, estimator) -> None:
    np.savez(folder / f"{name}.{RANK}.npz", **weights(estimator))


def fits(folder: Path, found: dict) -> None:
    """Fit everything that must equal one process, and try what must fail on all workers alike."""
    for name, options in FITS.items():
        estimator = model(**options).fit(X, Y)
        keep(folder, name, estimator)
        found[name] = seconds_left_out(estimator.history_)
    drawn = model(random_state=None).fit(X, Y)
    keep(folder, "drawn", drawn)
    keep(folder, "two objectives", two_objectives())
    keep(folder, "pictures", pictures().fit(X.reshape(-1, 8, 8), Y))
    keep(folder, "sharded pictures", pictures(sharded=True).fit(X.reshape(-1, 8, 8), Y))
    stopped = model(**FITS["stopped"]).fit(X, Y, checkpoint=every_step(folder / f"steps of {RANK}"))
    stopped.save(folder / f"model.{RANK}")
    found["perceptron"] = seconds_left_out(gg.Perceptron(random_state=0, epochs=3).fit(X, Y).history_)
    failures(folder, found)
    found["still together"] = seconds_left_out(model().fit(X, Y).history_)
    found["written"] = [name for name in (f"steps of {RANK}", f"model.{RANK}") if (folder / name).exists()]
    sharded(folder, found)
    part_with(found)


def failures(folder: Path, found: dict) -> None:
    """Let one worker, or all of them, meet what cannot be trained; what each raised is noted."""
    holed, other = X.copy(), X.copy()
    if RANK == 1:
        holed[3, 4] = np.inf
        other[:, 3] = 7.0
    attempts = {
        "all": lambda: model(epochs=-1).fit(X, Y),
        "one": lambda: model().fit(holed, Y),
        "other data": lambda: model().fit(other, Y),
        "fewer rows": lambda: model().fit(X[: 203 - 80 * RANK], Y[: 203 - 80 * RANK]),
        "diverged": lambda: model(optimizer="sgd", learning_rate=1e200, epochs=20).fit(X, Y),
        "other folder": lambda: model(**FITS["stopped"]).fit(
            X, Y, checkpoint=folder / ("steps of 0" if RANK == 0 else "none"), resume=True
        ),
    }
    found["failures"] = {name: raised(attempt) for name, attempt in attempts.items()}


def raised(attempt) -> list[str]:
    """Return the kind of error that an attempt ends with, and what it says."""
    try:
        attempt()
    except GanglionError as error:
        return [type(error).__name__, str(error)]
    return ["", ""]


def part_with(found: dict) -> None:
    """Leave the group, and note which of its threads live on: they could end the process when it ends."""
    leave()
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    found["threads of gloo"] = [name for name in names if "gloo" in name]


def sharded(folder: Path, found: dict) -> None:
    """Fit with the network in parts; go on from a run of one process, and leave one for it."""
    for name, options in SHARDED.items():
        estimator = model(sharded=True, **options).fit(X, Y)
        keep(folder, name, estimator)
        found[name] = seconds_left_out(estimator.history_)
    found["kinds"] = sorted({f"{type(each).__name__}" for each in (*estimator.network_.modules(), estimator.network_)})
    found["held"] = held()
    os.environ["GANGLION_MEMORY"] = "1"  # megabyte: of the half that is each worker's, half is for weights and the like
    wide = {width: model(hidden=(width,), epochs=1).fit(X, Y) for width in (64, 256)}
    found["chosen"] = {width: fitted.history_.execution.get("sharded", False) for width, fitted in wide.items()}
    del os.environ["GANGLION_MEMORY"]
    keep(folder, "sharded mixed", model(sharded=True, batch_size=32).fit(*mixed()))
    resumed = model(sharded=True, **SHARDED["sharded adam"])
    keep(folder, "sharded resumed", resumed.fit(X, Y, resume=folder / "alone" / STEP_6))
    model(sharded=True, **SHARDED["sharded adam"]).fit(X, Y, checkpoint=every_step(folder / "in parts"))
    diverging = {"optimizer": "sgd", "learning_rate": 1e200, "epochs": 20}
    found["failures"] |= {
        "sharded diverged": raised(lambda: model(sharded=True, **diverging).fit(X, Y)),
        "sharded muon": raised(lambda: model(sharded=True, optimizer="muon").fit(X, Y)),
        "sharded lbfgs": raised(lambda: model(sharded=True, optimizer="lbfgs").fit(X, Y)),
    }


def held() -> list[int]:
    """Return how many numbers of each parameter this worker moves in a sharded fit."""
    held: list[int] = []

    class Noting(SGD):
        def start(self, parameters):
            held.extend(parameter.numel() for parameter in parameters)
            return super().start(parameters)

    model(sharded=True, optimizer=Noting(), epochs=1).fit(X, Y)
    return held


def lives(folder: Path, found: dict) -> None:
    """In the first life meet an error, in the second be killed, in the third end that training and begin another."""
    life = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
    if life == 0:
        alone_with_it()
    restarted(folder, life)
    note(folder, {"life": life})
    endless(folder / "endless")


def restarted(folder: Path, life: int) -> None:
    """Fit, saving at every step; in the second life, one worker is killed in the middle."""

    def kill(row, epochs):
        if life == 1 and row["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    options = {"dropout": 0.2, "epochs": 4, "validation_fraction": 0.3}
    estimator = model(**options).fit(X, Y, checkpoint=every_step(folder / "run"), resume=True, callbacks=[kill])
    keep(folder, "restarted", estimator)
    keep(folder, "never killed", model(**options).fit(X, Y))


def alone_with_it() -> None:
    """One worker meets an error of the user's own in the middle of training."""

    def fail(row, epochs):
        raise ZeroDivisionError("a callback of the user's")

    model().fit(X, Y, callbacks=[fail])


def endless(folder: Path) -> None:
    """Train until told to stop, and save nothing before."""

    def say(row, epochs):
        if row["epoch"] == 1:
            print("trains", flush=True)

    never = Checkpoints(folder=folder, seconds=None)
    model(epochs=10**6, learning_rate=1e-6).fit(X, Y, checkpoint=never, callbacks=[say])


def two_objectives():
    """Return a bare trained network as an estimator would hold it: each objective moves one layer."""
    from types import SimpleNamespace

    from torch import nn

    from ganglion.data.batches import Batches
    from ganglion.training.objective import Objective
    from ganglion.training.trainer import Trainer

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    data = {"x": torch.from_numpy(X), "target": torch.from_numpy(Y[:, None].astype(float))}

    def loss(network, batch):
        hidden = network[:2](batch["x"]).detach()
        return (network[2](hidden) - batch["target"]).square().mean()

    def small(network, batch):  # back through both layers, of which it moves one
        return (network(batch["x"]) - 1).square().mean()

    objectives = [Objective("loss", network[2].parameters(), loss), Objective("small", network[0].parameters(), small)]
    batches = Batches(data, 40, torch.Generator().manual_seed(0))
    Trainer(epochs=2, optimizer=SGD(), learning_rate=0.01).fit(network, objectives, batches)
    return SimpleNamespace(network_=network)


def seconds_left_out(history) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


TASKS = {"fits": fits, "lives": lives}

if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)
    workers()
    main(sys.argv[1], Path(sys.argv[2]))
