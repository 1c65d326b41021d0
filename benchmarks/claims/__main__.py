"""Check claims: `python -m benchmarks.claims [CLAIM …]`, or `make claims CLAIM=…`. Exit code 1 if one fell short."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import machine, results
from benchmarks.claims import Claim, Figure, Skipped, names

_HEAD = ("claim", "figure", "ours, 95 % interval", "target", "the paper's", "", "seconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print, and write the result files."""
    options = _options(arguments)
    unknown = sorted(set(options.claims) - set(names()))
    if unknown:
        print(f"no claim is called {', '.join(unknown)}. Known: {', '.join(names())}.")
        return 2
    checked, skipped = check(options.claims or names())
    print(text_of(checked, skipped))
    if options.save and checked:
        for path in results.write("claims", as_json(checked, skipped), markdown(checked, skipped)):
            print(f"wrote {path.relative_to(Path(__file__).resolve().parents[2])}")
    return 0 if all(claim.held for claim, _ in checked) else 1


def check(wanted: Sequence[str]) -> tuple[list[tuple[Claim, float]], dict[str, str]]:
    """Check claims one after the other.

    Returns
    -------
    checked : list of (Claim, seconds)
    skipped : dict of str to str
        Claims that could not be checked here, and why.
    """
    checked, skipped = [], {}
    for name in wanted:
        print(f"checking {name} …", file=sys.stderr, flush=True)
        start = time.perf_counter()
        try:
            claim = as_claim(name, importlib.import_module(f"benchmarks.claims.{name}").claim())
        except Skipped as reason:
            skipped[name] = str(reason)
            continue
        checked.append((claim, time.perf_counter() - start))
    return checked, skipped


def as_claim(name: str, given: Any) -> Claim:
    """Return a claim from what `claim()` gave: a `Claim`, or a dict that says what is promised and whether it holds."""
    if isinstance(given, Claim):
        return given
    held = float(given["holds"])
    known = {key: value for key, value in given.items() if key not in ("claim", "holds")}
    shown = ", ".join(f"{key} {value}" for key, value in known.items() if isinstance(value, int | float | str))
    return Claim(
        name=name,
        data=str(given["claim"]),
        settings=f"Found: {shown}.",
        reference="a promise of ours",
        figures=[Figure(str(given["claim"]), held, held, held, target=1.0)],
        details=known,
    )


def text_of(checked: Sequence[tuple[Claim, float]], skipped: Mapping[str, str]) -> str:
    """Return the table as plain text."""
    rows = [_HEAD, *_rows(checked)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*shown, *(f"{name}: skipped: {why}" for name, why in skipped.items())])


def markdown(checked: Sequence[tuple[Claim, float]], skipped: Mapping[str, str]) -> str:
    """Return the table, and what stands behind each line, as Markdown."""
    facts = machine.describe()
    rows = [_HEAD, ("---",) * len(_HEAD), *_rows(checked)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    notes = [
        f"- **{claim.name}.** {claim.data} {claim.settings} Reference: {claim.reference or 'none'}"
        for claim, _ in checked
    ]
    notes += [f"- **{name}**: skipped: {why}" for name, why in skipped.items()]
    where = f"{facts['processor']}, {facts['cores']} cores, Python {facts['python']}."
    return "\n\n".join(["# Quality beside the papers", where, table, "\n".join(notes)]) + "\n"


def as_json(checked: Sequence[tuple[Claim, float]], skipped: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that was found as plain values."""
    return {
        "machine": machine.describe(),
        "claims": [asdict(claim) | {"held": claim.held, "seconds": seconds} for claim, seconds in checked],
        "skipped": dict(skipped),
    }


def _rows(checked: Sequence[tuple[Claim, float]]) -> list[tuple[str, ...]]:
    return [_row(claim, figure, seconds) for claim, seconds in checked for figure in claim.figures]


def _row(claim: Claim, figure: Figure, seconds: float) -> tuple[str, ...]:
    return (
        claim.name,
        figure.name,
        f"{figure.value:.4g} ({figure.low:.4g} to {figure.high:.4g})",
        f"{'≤' if figure.lower_is_better else '≥'} {figure.target:.4g}",
        figure.paper,
        "held" if figure.held else "fell short",
        f"{seconds:.0f}",
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claims", description=__doc__)
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=f"all, or some of: {', '.join(names())}")
    parser.add_argument("--no-save", dest="save", action="store_false", help="write no result files")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
