"""Measure Ganglion beside its peers: `python -m benchmarks.bench [WORKLOAD …]`, or `make bench WORKLOAD=…`.

Every run is a fresh process in its library's own environment. The runs are interleaved (A B C A B C …), the figures
are medians, and a ratio is a peer's median over Ganglion's. Peers that are not installed are named and left out;
`python -m benchmarks.peers` installs them. Where Ganglion cannot do the job yet, the others are measured beside the
hand-written limit, and count in no mean.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine, peers, results
from benchmarks.measurement import Line, Run, geometric_mean, interleaved, ratios_of_peers, table
from benchmarks.workloads import Contender, Workload, names, workload

ROOT = Path(__file__).resolve().parents[1]
QUIET = 0.10  # a larger share of busy cores before a measurement spoils it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the result files. Returns 1 if a contender that is installed failed."""
    options = _options(arguments)
    machine.keep_to(options.cores)
    _warn_if_busy()
    measured, failures = {}, {}
    for name in options.workloads or names():
        chosen = workload(name)
        runs, failed, absent = measure(name, chosen, options)
        lines = table(
            runs,
            list(chosen.contenders),
            targets=dict(chosen.targets),
            limits=chosen.limits,
            lower_is_better=chosen.lower_is_better,
        )
        print(text_of(name, chosen, lines, failed, absent), flush=True)
        measured[name] = (chosen, runs, lines, absent)
        failures |= {f"{name}, {contender}": why for contender, why in failed.items()}
    ratios = [ratio for _, _, lines, _ in measured.values() for ratio in ratios_of_peers(lines)]
    print(_closing(ratios))
    if options.save:
        for path in results.write(
            "bench", as_json(measured, failures, ratios, options), markdown(measured, failures, ratios)
        ):
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if failures else 0


def measure(name: str, chosen: Workload, options: Any) -> tuple[list[Run], dict[str, str], list[str]]:
    """Run every contender once a round, interleaved.

    Returns
    -------
    runs : list of Run
    failed : dict of str to str
        Contenders that broke, and what they said last. They are not started again.
    absent : list of str
        Contenders whose peer is not installed.
    """
    wanted = [each for each in chosen.contenders if not options.only or each in options.only]
    absent = [each for each in wanted if not peers.installed(chosen.contenders[each].peer)]
    present = [each for each in wanted if each not in absent]
    runs: list[Run] = []
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="ganglion-bench-") as folder:
        job = dict(chosen.job) | dict(chosen.data(Path(folder)) if chosen.data else {})
        for number, contender in interleaved(present, options.rounds):
            if contender in failed:
                continue
            try:
                report = run_once(chosen.contenders[contender], job | {"seed": number}, folder, chosen.timeout_s)
            except ContenderFailed as error:
                failed[contender] = str(error)
                continue
            quality = report.get(chosen.quality) if chosen.quality else None
            runs.append(Run(contender, number, report["seconds"], quality, report))
            _tell(f"{name} round {number + 1}/{options.rounds} {contender}: {_seconds(report['seconds'])}")
    return runs, failed, absent


class ContenderFailed(Exception):
    """A process ended without its line of JSON."""


def run_once(contender: Contender, job: Mapping[str, Any], folder: str, timeout_s: float) -> dict[str, Any]:
    """Run one contender in a fresh process and return what it printed."""
    command = [
        str(peers.python(contender.peer)),
        "-m",
        f"benchmarks.contenders.{contender.module}",
        json.dumps({**job, **contender.settings}),
    ]
    # everybody computes on the CPU; what libraries write about themselves goes to the folder
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "KERAS_HOME": folder, "MPLCONFIGDIR": folder, **contender.environment}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ContenderFailed(f"took more than {timeout_s:g} s") from error
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        said = [line for line in done.stderr.strip().splitlines() if line.strip()]
        raise ContenderFailed(said[-1][:300] if said else f"exit code {done.returncode}, nothing said") from error


def text_of(
    name: str, chosen: Workload, lines: Sequence[Line], failed: Mapping[str, str], absent: Sequence[str]
) -> str:
    """Return a workload's table as plain text."""
    rows = [_head(chosen), *(_cells(line, chosen) for line in lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [_NOT_THERE_YET] if chosen.awaits_ganglion else []
    notes += [f"{each}: not installed (python -m benchmarks.peers {chosen.contenders[each].peer})" for each in absent]
    notes += [f"{each}: failed: {why}" for each, why in failed.items()]
    return "\n".join(["", f"{name}: {chosen.title}", *shown, *notes])


_NOT_THERE_YET = (
    "Ganglion: not there yet. The ratios are to the fastest limit; the targets are what Ganglion is to reach."
)


def _head(chosen: Workload) -> tuple[str, ...]:
    return "contender", "runs", "median", "× limit" if chosen.awaits_ganglion else "× Ganglion", "target", "quality", ""


def _cells(line: Line, chosen: Workload) -> tuple[str, ...]:
    ratio = line.over_limit if chosen.awaits_ganglion else line.ratio
    learned = "" if line.quality is None else f"{chosen.quality} {line.quality:.4f}"
    learned += f" ± {line.spread:.4f}" if line.spread is not None else ""
    remark = ", ".join(filter(None, [line.verdict, f"learns {line.learns}" if line.learns else ""]))
    return (
        line.contender,
        str(line.runs),
        _seconds(line.seconds),
        "" if ratio is None else f"{ratio:.2f}",
        "" if line.target is None else f"≥ {line.target:.2f}",
        learned,
        remark,
    )


def markdown(measured: Mapping[str, Any], failures: Mapping[str, str], ratios: Sequence[float]) -> str:
    """Return all tables as Markdown."""
    facts = machine.describe()
    blocks = [
        f"# Speed beside the peers\n\n{facts['processor']}, {facts['cores_used']} of {facts['cores']} cores, "
        f"Python {facts['python']}; load average at the end {machine.load()}. Medians of interleaved fresh processes; "
        "“× Ganglion” is the contender's median over Ganglion's, so above 1 Ganglion is faster."
    ]
    for name, (chosen, _, lines, absent) in measured.items():
        head = _head(chosen)
        rows = [head, ("---",) * len(head), *(_cells(line, chosen) for line in lines)]
        blocks += [f"## {name}", chosen.title, "\n".join("| " + " | ".join(row) + " |" for row in rows)]
        blocks += [_NOT_THERE_YET] if chosen.awaits_ganglion else []
        blocks += [f"Not installed: {', '.join(absent)}."] if absent else []
    blocks += [f"Failed: {who}: {why}" for who, why in failures.items()]
    return "\n\n".join([*blocks, _closing(ratios)]) + "\n"


def as_json(
    measured: Mapping[str, Any], failures: Mapping[str, str], ratios: Sequence[float], options: Any
) -> dict[str, Any]:
    """Return everything measured, every repeat of it, as plain values."""
    return {
        "command": shlex.join(["python", "-m", "benchmarks.bench", *(options.given or sys.argv[1:])]),
        "machine": machine.describe(),
        "load_average": machine.load(),
        "rounds": options.rounds,
        "seeds": "the number of the round",
        "geometric_mean": geometric_mean(ratios) if ratios else None,
        "failures": dict(failures),
        "workloads": {
            name: {
                "title": chosen.title,
                "job": dict(chosen.job),
                "ganglion": "not there yet" if chosen.awaits_ganglion else "there",
                "absent": absent,
                "lines": [asdict(line) | {"verdict": line.verdict} for line in lines],
                "runs": [asdict(run) for run in runs],
            }
            for name, (chosen, runs, lines, absent) in measured.items()
        },
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"all, or some of: {', '.join(names())}")
    parser.add_argument("--rounds", type=int, default=5, help="runs of every contender (default 5)")
    parser.add_argument("--only", action="append", metavar="CONTENDER", help="leave the others out; repeat for several")
    parser.add_argument("--cores", type=int, default=2, help="cores that everybody may use (default 2)")
    parser.add_argument("--no-save", dest="save", action="store_false", help="write no result files")
    options = parser.parse_args(arguments)
    options.given = list(arguments) if arguments is not None else None
    return options


def _warn_if_busy() -> None:
    busy, load = machine.busy_share(), machine.load()
    if busy is not None and busy > QUIET:
        _tell(
            f"WARNING: {busy:.0%} of the cores are busy before anything runs (load average {load}): "
            "the figures will not be worth keeping. Wait until nothing else runs."
        )
    elif load is not None and load > 0.5:
        _tell(f"note: the load average is still {load}; the cores are quiet now.")


def _closing(ratios: Sequence[float]) -> str:
    if not ratios:
        return "\nno ratio: Ganglion and at least one peer are needed"
    mean = f"{geometric_mean(ratios):.2f} × (least {min(ratios):.2f} ×)"
    return f"\ngeometric mean over {len(ratios)} peers and workloads: {mean}"


def _seconds(seconds: float) -> str:
    if seconds >= 0.1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
