"""What the claims of compression have in common: a table of variants, and figures of one of them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.claims import Figure
from ganglion.compression.result import Compression
from ganglion.compression.timing import in_turn, latency
from ganglion.deployment.export import export
from ganglion.deployment.onnx_model import OnnxModel


def figures_of(found: Compression, name: str, *, smaller: float, faster: float | None, lost: float) -> list[Figure]:
    """Return how many times smaller and faster one variant is, and what it loses, with what each has to reach."""
    best = found.variant(name)
    ratio, loss = best.latency.ratio, best.loss
    figures = [Figure("times smaller", best.times_smaller, best.times_smaller, best.times_smaller, target=smaller)]
    if faster is not None and ratio.value and ratio.low and ratio.high:
        figures.append(Figure("times faster", 1 / ratio.value, 1 / ratio.high, 1 / ratio.low, target=faster))
    value, low, high = (each or 0.0 for each in (loss.value, loss.low, loss.high))
    return [*figures, Figure("points lost", value, low, high, target=lost, lower_is_better=True)]


def as_exported(found: Compression, name: str, rows: Sequence[Any], *, faster: float) -> Figure:
    """Return how many times faster one variant answers than the original, both as ONNX files on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        ask: dict[str, Any] = {}
        for each in ("original", name):
            path = Path(folder) / f"{len(ask)}.onnx"
            export(found.models[each], path)
            ask[each] = OnnxModel.load(path).predict
        seconds = in_turn(ask, rows)
    ratio = latency(seconds["original"], seconds[name]).ratio
    value, low, high = (each or 0.0 for each in (ratio.value, ratio.low, ratio.high))
    return Figure("times faster, both exported to ONNX", value, low, high, target=faster)


def details_of(found: Compression) -> Mapping[str, Any]:
    """Return the whole table, and the Pareto front in words."""
    front = [
        f"{each.name}: {each.size / 1000:.1f} kB, {each.latency.median:.3g} ms (p99 {each.latency.p99:.3g}), "
        f"{each.score.value:.2f} %, {each.verdict}"
        for each in found.front
    ]
    return {"pareto_front": front, "verdict": found.verdict, "variants": found.to_dict()["variants"]}
