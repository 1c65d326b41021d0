"""Alarms of training, on runs made to collapse and on healthy ones: how many failures are found, how many invented."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.claims import Claim, Figure, Skipped, wilson
from benchmarks.claims import _battery_truth as truth
from benchmarks.claims._battery_data import DEVELOPMENT, REPORTED, Data, first
from benchmarks.claims._battery_runs import NUMBERS, Outcome, Run, outcome_of, runs
from ganglion.errors import InvalidFile

SEEDS = {"development": 1000, "reported": 5000}
FOUND, FALSE = 0.9, 0.05

Row = tuple[Run, Outcome]


def claim() -> Claim:
    """Train every run of the reported half once, and compare its alarms with what happened."""
    try:
        rows = half("reported")
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    return claim_of(rows)


def half(name: str) -> list[Row]:
    """Return what happened in all runs of a half, "development" or "reported"."""
    sources = DEVELOPMENT if name == "development" else REPORTED
    rows = []
    for run in runs(SEEDS[name]):
        rows.append((run, outcome_of(run, _data(sources, run))))
        print(f"{len(rows)} {told(*rows[-1])}", file=sys.stderr, flush=True)
    return rows


def _data(sources: Mapping[str, Callable[[int], Data]], run: Run) -> Data:
    return first(sources[run.data](run.seed), run.rows)


def claim_of(rows: Sequence[Row]) -> Claim:
    """Return the claim on such runs."""
    failed = [(name, is_found(name, outcome)) for _, outcome in rows for name in failures(outcome)]
    healthy = [outcome for _, outcome in rows if is_healthy(outcome)]
    invented = [bool(false_alarms(outcome)) for outcome in healthy]
    pairs = [is_raised(name, outcome) for _, outcome in rows for name, said in outcome.truths.items() if said is False]
    between = [outcome for _, outcome in rows if not failures(outcome) and not is_healthy(outcome)]
    return Claim(
        name="collapse_battery",
        data=f"{len(rows)} runs: mixtures of Gaussians on a grid and in 10 dimensions, MNIST and Fashion-MNIST at "
        "14 × 14, breast cancer, patterns of bits. Thresholds were chosen on other data (ring, 6 dimensions, digits, "
        "wine, other patterns) and seeds.",
        settings="VAE, Autoencoder, GAN, RBM, DBN and Diffusion, small, seconds each, made to collapse or not. A "
        "failure is what is measured on held-out rows, apart from the alarms, by rules that stand in "
        f"{truth.__name__}: {len(failed)} failures, {len(healthy)} healthy runs, {len(between)} runs between, which "
        "count as neither. A failure is found if the alarm of its name is raised, and for NaN if the message names a "
        "layer; a false alarm is a healthy run with any alarm. Interval: Wilson.",
        reference="none: what is promised",
        figures=[
            _figure("failures found", [found for _, found in failed], FOUND),
            _figure("healthy runs with an alarm", invented, FALSE, lower_is_better=True),
            _figure("alarms of what did not happen, all runs", pairs, FALSE, lower_is_better=True),
        ],
        details={
            "by failure": by_failure(rows),
            "missed": [f"{name}: {told(run, o)}" for run, o in rows for name in failures(o) if not is_found(name, o)],
            "false": [told(run, o) for run, o in rows if is_healthy(o) and false_alarms(o)],
            "runs": [
                {"run": str(run), "meant": run.meant, "truths": o.truths, "numbers": o.numbers, "alarms": o.alarms}
                for run, o in rows
            ],
        },
    )


def _figure(name: str, found: Sequence[bool], target: float, *, lower_is_better: bool = False) -> Figure:
    n = max(1, len(found))
    share = sum(found) / n
    return Figure(name, share, *wilson(share, n), target, lower_is_better=lower_is_better)


# what counts


def failures(outcome: Outcome) -> list[str]:
    """Return what went wrong; of a critic that has won not that its samples are unlike the data as well."""
    failed = [name for name, said in outcome.truths.items() if said]
    return [name for name in failed if name != "samples unlike the data" or "the critic has won" not in failed]


def is_healthy(outcome: Outcome) -> bool:
    """Return whether nothing went wrong, nor nearly so."""
    return all(said is False for said in outcome.truths.values())


def is_raised(name: str, outcome: Outcome) -> bool:
    """Return whether there is an alarm of that name."""
    return name in outcome.alarms


def is_found(name: str, outcome: Outcome) -> bool:
    """Return whether a failure was said, of NaN with the layer's name.

    That samples are unlike the data is also said by a critic that has won, where it cannot be told whether it has.
    """
    if name == NUMBERS:
        return is_raised(name, outcome) and outcome.numbers.get("layer_named", 1.0) == 1.0
    unsure = name == "samples unlike the data" and outcome.truths.get("the critic has won", False) is None
    return is_raised(name, outcome) or (unsure and is_raised("the critic has won", outcome))


def false_alarms(outcome: Outcome) -> list[str]:
    """Return the names of alarms, whatever they are of."""
    return list(outcome.alarms)


def by_failure(rows: Sequence[Row]) -> dict[str, Any]:
    """Return, of each failure: how often it happened and was found, and how often it did not and was said."""
    names = sorted({name for _, outcome in rows for name in outcome.truths})
    table = {}
    for name in names:
        found = [is_found(name, o) for _, o in rows if name in failures(o)]
        said = [is_raised(name, o) for _, o in rows if o.truths.get(name) is False]
        table[name] = {
            "happened": len(found),
            "found": sum(found),
            "interval": wilson(sum(found) / len(found), len(found)) if found else None,
            "did not happen": len(said),
            "said all the same": sum(said),
            "false interval": wilson(sum(said) / len(said), len(said)) if said else None,
            "between": sum(o.truths.get(name, False) is None for _, o in rows),
        }
    return table


def told(run: Run, outcome: Outcome) -> str:
    """Return a run in words."""
    numbers = ", ".join(f"{name} {value:.3g}" for name, value in outcome.numbers.items())
    unsure = [name for name, said in outcome.truths.items() if said is None]
    return (
        f"{run}: meant {run.meant}; happened: {', '.join(failures(outcome)) or 'nothing'}; unsure: "
        f"{', '.join(unsure) or 'nothing'}; alarms: {', '.join(outcome.alarms) or 'none'} ({numbers})"
    )


if __name__ == "__main__":  # the development half, on which thresholds may be chosen
    found = claim_of(half("development"))
    for name, row in found.details["by failure"].items():
        print(name, row)
    for kind in ("missed", "false"):
        print(f"{kind}:", *found.details[kind], sep="\n  ")
    for figure in found.figures:
        print(figure)
