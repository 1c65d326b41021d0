"""What is promised of fitting: the same seed, the same bits, nothing left behind, nothing lost."""

from __future__ import annotations

import os
import pickle
import random
import signal
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganglion.checks.comparing import (
    answers,
    close,
    close_answers,
    ensure,
    fresh,
    refused,
    same_answers,
    same_bits,
    unfitted,
)
from ganglion.checks.data import data_for, every_data_for, mixed_frame, other_data_for, table
from ganglion.checks.elsewhere import in_another_process
from ganglion.checks.suiting import (
    always,
    by_gradients,
    classifies,
    reads_arrays,
    reads_numbers,
    reads_tables,
    regresses_by_gradients,
)
from ganglion.errors import GanglionError, UnknownParameter
from ganglion.estimators.base import Estimator
from ganglion.training.checkpoint import Checkpoints, CheckpointWriter


def check_refit_equals_fit(estimator: Estimator) -> None:
    """A second fit forgets the first, whatever the first was given."""
    X, y = data_for(estimator)
    again = fresh(estimator).fit(*other_data_for(estimator)).fit(X, y)
    once = fresh(estimator).fit(X, y)
    same_answers(again, once, X)
    stale = vars(again).keys() ^ vars(once).keys()
    ensure(not stale, f"attributes are left from the first fit: {sorted(stale)}")


def check_same_seed_gives_same_bits_in_two_processes(estimator: Estimator) -> None:
    """The same seed gives the same bits, here and in another process."""
    given = every_data_for(estimator)
    there = in_another_process(_fitted_answers, fresh(estimator), given)
    for here, other in zip(_fitted_answers(estimator, given), there, strict=True):
        same_bits(here, other)


def _fitted_answers(estimator: Estimator, given: list[tuple[Any, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    return [answers(fresh(estimator).fit(X, y), X) for X, y in given]


def check_different_seeds_differ(estimator: Estimator) -> None:
    """Another seed gives another model: of four, at least two differ."""
    X, y = data_for(estimator)
    several = [answers(fresh(estimator).set_params(random_state=seed).fit(X, y), X) for seed in range(4)]
    ensure(len({pickle.dumps(each) for each in several}) > 1, "four seeds gave one and the same model")


def check_process_is_left_as_it_was(estimator: Estimator) -> None:
    """Neither `fit` nor `predict` changes a setting or a random state of the process."""
    X, y = data_for(estimator)
    before = process_state()
    model = fresh(estimator).fit(X, y)
    after_fit = process_state()
    answers(model, X)
    for name, value in before.items():
        ensure(after_fit[name] == value, f"fit changed {name}")
        ensure(process_state()[name] == value, f"predict changed {name}")


def check_options_are_left_as_given(estimator: Estimator) -> None:
    """`clone` keeps the options, `fit` does not touch them, and one that does not exist is refused by name."""
    X, y = data_for(estimator)
    given = fresh(estimator)
    before = given.get_params()
    ensure(unfitted(given).get_params() == before, "clone changed an option")
    given.fit(X, y)
    changed = [name for name, value in given.get_params().items() if value is not before[name]]
    ensure(not changed, f"fit changed the options {changed}")
    refused(lambda: type(given)(no_such_option=1), UnknownParameter, "no_such_option")


def check_data_are_left_as_given(estimator: Estimator) -> None:
    """Neither `fit` nor `predict` writes into what it was given."""
    X, y = data_for(estimator)
    weight = np.linspace(1, 2, len(y))
    copies = X.copy(), y.copy(), weight.copy()
    answers(fresh(estimator).fit(X, y, sample_weight=weight), X)
    for given, kept in zip((X, y, weight), copies, strict=True):
        np.testing.assert_array_equal(given, kept)


def check_read_only_memory_map(estimator: Estimator) -> None:
    """A read-only array on disk is read like one in memory."""
    X, y = data_for(estimator)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "x.npy"), X)
        mapped = np.load(Path(folder, "x.npy"), mmap_mode="r")
        model = fresh(estimator).fit(mapped, y)
        same_bits(answers(model, mapped), answers(fresh(estimator).fit(X, y), X))
        del mapped, model


def check_float32_is_close_to_float64(estimator: Estimator) -> None:
    """Numbers that float32 holds exactly give nearly the same model in float32 as in float64."""
    X, y = data_for(estimator)
    single = X.astype(np.float32)
    expected = answers(fresh(estimator).fit(X, y), X)
    close(answers(fresh(estimator).fit(single, y), single), expected, atol=1e-4)


def check_zero_weight_equals_absence(estimator: Estimator) -> None:
    """Rows of weight 0 leave no trace: no statistic, no category, no class, no step."""
    frame, y = mixed_frame(estimator)
    weight = np.ones(len(y))
    weight[::4] = 0
    kept = np.flatnonzero(weight)
    frame.loc[weight == 0, "number"] = 1e6
    frame.loc[weight == 0, "kind"] = "only in rows of weight 0"
    if estimator.tags.task == "classification":
        y = np.where(weight == 0, "no class", y)
    weighted = fresh(estimator).fit(frame, y, sample_weight=weight)
    without = fresh(estimator).fit(frame.iloc[kept], y[kept])
    close_answers(weighted, without, frame)


def check_constant_weight_changes_nothing(estimator: Estimator) -> None:
    """Weights count by their ratios: 3 for all is as good as 1 for all."""
    X, y = data_for(estimator)
    close_answers(fresh(estimator).fit(X, y), fresh(estimator).fit(X, y, sample_weight=np.full(len(y), 3.0)), X)


def check_history(estimator: Estimator) -> None:
    """`history_` has a row an epoch, which callbacks have seen, and says why training ended."""
    X, y = data_for(estimator)
    seen: list[tuple[dict[str, Any], int]] = []
    model = fresh(estimator).fit(X, y, callbacks=[lambda row, epochs: seen.append((row, epochs))])
    rows = model.history_.rows
    ensure([row["epoch"] for row in rows] == list(range(1, len(rows) + 1)), "epochs are not counted from 1")
    ensure(all(np.isfinite(row["loss"]) for row in rows), "a loss is no number")
    ensure([row for row, _ in seen] == rows, "the callback did not see every row once")
    ensure(all(epochs >= len(rows) for _, epochs in seen), "more epochs than planned")
    ensure(bool(model.history_.stopped), "the history does not say why training ended")


def check_killed_and_resumed_equals_never_killed(estimator: Estimator) -> None:
    """A run that stops right after any of its checkpoints goes on to the bits of one that never stopped."""
    for X, y in every_data_for(estimator):
        _resumes(estimator, X, y)


def _resumes(estimator: Estimator, X: Any, y: Any) -> None:
    whole = fresh(estimator).fit(X, y)
    for stop in (2, 3):  # of two steps an epoch: between epochs, and within one
        with tempfile.TemporaryDirectory() as folder:
            settings = Checkpoints(folder=folder, seconds=None, steps=1)
            if not _killed(fresh(estimator), X, y, settings, stop):
                continue  # it ended before
            resumed = fresh(estimator).set_params(random_state=None).fit(X, y, resume=folder)
            same_answers(resumed, whole, X)
            rows = [[{**row, "seconds": 0.0} for row in each.history_.rows] for each in (resumed, whole)]
            ensure(rows[0] == rows[1], f"stopped after checkpoint {stop}, the resumed run has another history")


def _killed(estimator: Estimator, X: Any, y: Any, settings: Checkpoints, stop: int) -> bool:
    """Fit, and stop as by a kill right after so many checkpoints; returns whether there were so many."""

    class Killed(BaseException):
        pass

    written = []
    write = CheckpointWriter.write

    def write_and_die(self: Any, snapshot: Any, *, best: bool = False) -> Any:
        path = write(self, snapshot, best=best)
        written.append(path)
        if len(written) == stop:
            raise Killed
        return path

    CheckpointWriter.write = write_and_die
    try:
        estimator.fit(X, y, checkpoint=settings)
    except Killed:
        return True
    finally:
        CheckpointWriter.write = write
    return False


def check_class_weight_counts(estimator: Estimator) -> None:
    """A class that weighs much is answered more often; one that does not exist is refused."""
    X, y = data_for(estimator, noise=3.0)
    heavy = fresh(estimator, epochs=40).set_params(class_weight={"b": 1000.0}).fit(X, y)
    plain = fresh(estimator, epochs=40).fit(X, y)
    more, usual = (np.mean(model.predict(X) == "b") for model in (heavy, plain))
    ensure(more > usual, f"with a weight of 1000 the class is answered in {more:.0%}, without in {usual:.0%}")
    refused(lambda: fresh(estimator).set_params(class_weight={"z": 1.0}).fit(X, y), GanglionError, "z")


def check_target_scale_does_not_matter(estimator: Estimator) -> None:
    """Targets are standardised inside: in other units, the same predictions in these units."""
    X, y = table(estimator)
    plain, scaled = fresh(estimator).fit(X, y), fresh(estimator).fit(X, y * 1e6 - 5e7)
    np.testing.assert_allclose((scaled.predict(X) + 5e7) / 1e6, plain.predict(X), atol=1e-6)


def process_state() -> dict[str, Any]:
    """Return what belongs to the process and not to an estimator."""
    return {
        "numpy's random state": str(np.random.get_state()),  # noqa: NPY002
        "torch's random state": torch.get_rng_state().numpy().tobytes(),
        "Python's random state": random.getstate(),
        "torch's threads": torch.get_num_threads(),
        "precision of products": torch.get_float32_matmul_precision(),
        "default dtype": torch.get_default_dtype(),
        "determinism": (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark),
        "autograd": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "warning filters": list(warnings.filters),
        "numpy's error handling": np.geterr(),
        "handler of Ctrl-C": signal.getsignal(signal.SIGINT),
        "environment": dict(os.environ),
        "working directory": os.getcwd(),
    }


CHECKS = (
    (always, check_refit_equals_fit),
    (always, check_same_seed_gives_same_bits_in_two_processes),
    (always, check_different_seeds_differ),
    (always, check_process_is_left_as_it_was),
    (always, check_options_are_left_as_given),
    (always, check_data_are_left_as_given),
    (reads_arrays, check_read_only_memory_map),
    (reads_numbers, check_float32_is_close_to_float64),
    (reads_tables, check_zero_weight_equals_absence),
    (always, check_history),
    (always, check_killed_and_resumed_equals_never_killed),
    (classifies, check_class_weight_counts),
    (by_gradients, check_constant_weight_changes_nothing),
    (regresses_by_gradients, check_target_scale_does_not_matter),
)
