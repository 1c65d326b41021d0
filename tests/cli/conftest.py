"""Running the command in this process, as the shell would."""

import sys
from typing import NamedTuple

import numpy as np
import pytest

from ganglion.cli import screen
from ganglion.cli.main import run

N = 120


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def ganglion(capsys, monkeypatch, tmp_path):
    """Run a command in a folder of its own; returns its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(screen.out, "_width", 80)
    monkeypatch.setattr(screen.err, "_width", 80)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["ganglion", *map(str, words)])
        capsys.readouterr()
        try:
            run()
            code = 0
        except SystemExit as done:
            code = done.code or 0
        return Ran(code, *capsys.readouterr())

    return call


def table(n=N, seed=0):
    """Return rows of a small table with a target that can be learned."""
    random = np.random.default_rng(seed)
    age, pay = random.integers(18, 80, n), random.normal(50, 9, n).round(2)
    job = random.choice(["cook", "baker", "clerk"], n)
    rich = np.where(pay + 5 * (job == "clerk") + random.normal(0, 3, n) > 52, ">50K", "<=50K")
    return [[str(a), j, f"{p:.2f}", r] for a, j, p, r in zip(age, job, pay, rich, strict=True)]


def write(path, rows, names=("age", "job", "pay", "rich")):
    lines = [",".join(names), *map(",".join, rows)] if names else list(map(",".join, rows))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def people(tmp_path):
    """A table in a file: people.csv."""
    return write(tmp_path / "people.csv", table())


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """A model that the command trained on such a table, and that table."""
    folder = tmp_path_factory.mktemp("trained")
    data = write(folder / "people.csv", table())
    from ganglion import workflow

    model = workflow.train(workflow.plan(data, target="rich"), options={"epochs": 5, "random_state": 0})
    model.save(folder / "model.ganglion")
    return folder / "model.ganglion", data


QUICK = ("--set", "epochs=2", "--set", "hidden=4")
