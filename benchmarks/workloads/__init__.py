"""What is measured: one file a workload, each with a `WORKLOAD`. A new file here is a new workload.

A workload names its contenders. Each is a module of `benchmarks.contenders`, run in the environment of a peer, and
told the job as JSON.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measurement import US

OWN = ""  # the project's own environment: Ganglion, torch, scikit-learn


@dataclass(frozen=True)
class Contender:
    """A module to run, the environment to run it in, and settings of its own.

    Attributes
    ----------
    module : str
        Under `benchmarks.contenders`, such as "mlp.skorch".
    peer : str
        A name in `benchmarks/peers`; `OWN` is the project's environment.
    settings : mapping
        Joins the job.
    environment : mapping
        Variables of its process, such as KERAS_BACKEND.
    """

    module: str
    peer: str = OWN
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """A job, and who does it.

    Attributes
    ----------
    title : str
        The job in a line, with its settings.
    job : mapping
        What every contender is told; `seed` joins it, the number of the round.
    contenders : mapping of str to Contender
        In the order in which they run. Without one named "ganglion", Ganglion cannot do the job yet: the others are
        measured all the same, beside the limit.
    data : callable, optional
        Writes what the contenders read into a folder, and returns what joins the job. It runs once, before any clock.
    targets : mapping of str to float
        Ratios to reach (issue "The engine").
    quality : str, optional
        The key of a report that says how much was learned.
    lower_is_better : bool
        Whether that figure is a loss.
    limits : tuple of str
        Hand-written bounds, not peers: they stand in the table, not in the geometric mean.
    timeout_s : float
        For one process.
    """

    title: str
    job: Mapping[str, Any]
    contenders: Mapping[str, Contender]
    data: Callable[[Path], Mapping[str, Any]] | None = None
    targets: Mapping[str, float] = field(default_factory=dict)
    quality: str | None = "accuracy"
    lower_is_better: bool = False
    limits: tuple[str, ...] = ()
    timeout_s: float = 900.0

    @property
    def awaits_ganglion(self) -> bool:
        """Whether Ganglion has no contender yet."""
        return US not in self.contenders


def keras(module: str, backend: str) -> Contender:
    """Return a contender that runs on Keras with this backend."""
    return Contender(module, f"keras-{backend}", environment={"KERAS_BACKEND": backend})


def names() -> list[str]:
    """Return the names of all workloads."""
    return sorted(each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))


def workload(name: str) -> Workload:
    """Return a workload by name."""
    if name not in names():
        raise SystemExit(f"no workload is called {name!r}. Known: {', '.join(names())}.")
    return importlib.import_module(f"{__name__}.{name}").WORKLOAD
