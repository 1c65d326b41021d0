"""Pictures of any size in a graph, brought to that of training as Python does it, to the last bit.

    placed     which part is shown, how large, and where in the result: `data.resizing.place`
    reduced    the means of whole blocks, where a pixel of the result is of four pixels or more along a side
    filtered   one matrix of weights a side, triangles as wide as what falls together

This is Pillow's resize(…, BILINEAR, box, reducing_gap=2) of bytes, across before down, in its fixed point (Reduce.c,
Resample.c): rounded after each mean and each side. Sides are float64 vectors (height, width).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ganglion.data.image_files import GAP
from ganglion.deployment.nodes import Nodes, Value
from ganglion.deployment.signature import Input

_HERE = "net/size/"
_SHARES, _WEIGHTS = 2.0**24, 2.0**22  # what one is in Pillow's fixed point, of means and of weights


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a picture that is shown: where it starts and ends there, its size and its corner in the result."""

    start: Value
    end: Value
    shown: Value
    corner: Value


def brought(helper: Any, each: Input, to: str, resize: str) -> list[Any]:
    """Return the nodes that bring pictures, (N, H, W, C) uint8, to the size of training, if they have another.

    Parameters
    ----------
    helper : module
        `onnx.helper`.
    each : Input
        The pictures.
    to : str
        What the result is called, (N, height, width, C).
    resize : str
        The policy, see `data.resizing`.
    """
    nodes = Nodes(helper, _HERE)
    pixels = nodes.tensor(each.name)
    height, width = (
        nodes.Equal(nodes.Shape(pixels, start=axis, end=axis + 1), np.array([side]))
        for axis, side in enumerate(each.size, start=1)
    )
    nodes.choose(
        nodes.And(height, width),
        np.uint8,
        lambda: nodes.Identity(pixels),
        lambda: _resized(nodes, pixels, each, resize),
        into=to,
    )
    return nodes.made


def moved_back(helper: Any, boxes: str, to: str, each: Input, resize: str) -> list[Any]:
    """Return the nodes that tell boxes in the pixels of the pictures as they came: `Placement.moved_back`.

    Parameters
    ----------
    helper : module
        `onnx.helper`.
    boxes, to : str
        Boxes in pixels of the size of training, (N, n, 4), zeros where there is none, and what the result is called.
    each : Input
        The pictures.
    resize : str
    """
    nodes = Nodes(helper, f"{_HERE}back/")
    sides = nodes.cast(nodes.Shape(nodes.tensor(each.name), start=1, end=3), np.float64)
    part = _placed(nodes, sides, np.array(each.size, dtype=np.float64), resize)
    scale = part.shown / (part.end - part.start)
    shift = part.corner - scale * part.start
    four = np.array([1, 0, 1, 0])  # left, top, right, bottom: of width and height in turn
    scale, shift, most = (nodes.Gather(pair, four) for pair in (scale, shift, sides))
    found = nodes.cast(nodes.tensor(boxes), np.float64)
    inside = nodes.Min(nodes.Max((found - shift) / scale, 0.0), most)
    there = nodes.Greater(nodes.ReduceMax(found, np.array([2])), 0.0)
    nodes.cast(nodes.Where(there, inside, 0.0), np.float32, into=to)
    return nodes.made


def _resized(nodes: Nodes, pixels: Value, each: Input, resize: str) -> Value:
    sides = nodes.cast(nodes.Shape(pixels, start=1, end=3), np.float64)
    part = _placed(nodes, sides, np.array(each.size, dtype=np.float64), resize)
    scale = (part.end - part.start) / part.shown
    step = nodes.Max(nodes.Floor(scale / GAP), 1.0)
    many = nodes.Greater(nodes.ReduceMax(step, keepdims=0), 1.0)
    first = nodes.Where(many, nodes.Max(nodes.Floor(part.start - scale * 0.5), 0.0), 0.0)
    last = nodes.Where(many, nodes.Min(nodes.Ceil(part.end + scale * 0.5), sides), sides)
    blocks = nodes.choose(
        many,
        np.float64,
        lambda: _reduced(nodes, pixels, first, last, step),
        lambda: nodes.cast(pixels, np.float64),
    )
    start, end = (nodes.cast((edge - first) / step, np.float32) for edge in (part.start, part.end))
    n_blocks = nodes.Ceil((last - first) / step)
    rows, columns = (_weights(nodes, side, (start, end), n_blocks, part, each.size[side]) for side in (0, 1))
    channels = nodes.Transpose(blocks, perm=[0, 3, 1, 2])
    across = nodes.Floor(nodes.MatMul(channels, nodes.Transpose(columns, perm=[1, 0])) + 0.5)
    both = nodes.Floor(nodes.MatMul(rows, across) + 0.5)
    return nodes.cast(nodes.Transpose(both, perm=[0, 2, 3, 1]), np.uint8)


def _placed(nodes: Nodes, sides: Value, size: np.ndarray, resize: str) -> _Part:
    """Return what `data.resizing.place` says of pictures of these sides."""
    none = sides * 0.0
    if resize == "crop":
        shown = nodes.Min(sides, size / nodes.ReduceMax(size / sides))
        start = (sides - shown) / 2.0
        return _Part(start, nodes.Min(start + shown, sides), none + size, none)
    if resize == "pad":
        shown = nodes.Min(nodes.Max(nodes.Round(sides * nodes.ReduceMin(size / sides)), 1.0), size)
        return _Part(none, sides, shown, nodes.Floor((size - shown) / 2.0))
    return _Part(none, sides, none + size, none)


def _reduced(nodes: Nodes, pixels: Value, first: Value, last: Value, step: Value) -> Value:
    """Return the mean of each block of a part of pictures, (N, blocks down, blocks across, C), float64.

    Blocks at the end may be smaller. Down first, a line of blocks at a time: as a whole, numbers of another type would
    take four times the memory of a large picture.
    """
    whole, rest, axis = partial(nodes.cast, dtype=np.int64), np.array([-1]), np.array([1])
    length, n_blocks = last - first, nodes.Ceil((last - first) / step)
    beyond = nodes.Concat(np.zeros(5, np.int64), whole(n_blocks * step - length), np.zeros(1, np.int64), axis=0)
    part = nodes.Pad(nodes.Slice(pixels, whole(first), whole(last), np.array([1, 2])), beyond)
    high, wide = (nodes.Gather(whole(step), np.array([side])) for side in (0, 1))
    channels = nodes.Shape(pixels, start=3)
    across = nodes.Shape(part, start=2, end=3) * channels
    lines = nodes.Reshape(part, nodes.Concat(rest, high, across, axis=0))
    lines = nodes.each(lines, (np.uint8, np.float64), partial(_summed, nodes))
    sums = nodes.ReduceSum(nodes.Reshape(lines, nodes.Concat(rest, wide, channels, axis=0)), axis, keepdims=0)
    sums = nodes.Reshape(sums, nodes.Concat(rest, whole(n_blocks), channels, axis=0))
    n = nodes.Mul(*(_counts(nodes, side, step, length, n_blocks) for side in (0, 1)))
    share = nodes.Floor(nodes.cast(nodes.cast(_SHARES / n, np.float32), np.float64))
    return nodes.Floor((sums + nodes.Floor(n / 2.0)) * share / _SHARES)


def _summed(nodes: Nodes, lines: Value) -> Value:
    """Return the sum of the lines that go into one line of blocks; bytes that many are exact as float32."""
    sums = nodes.ReduceSum(nodes.cast(lines, np.float32), np.array([0]), keepdims=0)
    return nodes.cast(sums, np.float64)


def _counts(nodes: Nodes, side: int, step: Value, length: Value, n_blocks: Value) -> Value:
    """Return how many pixels the blocks have along a side, (down, 1, 1) or (across, 1)."""
    each, all_, n = (_one(nodes, side, pair) for pair in (step, length, n_blocks))
    return nodes.Unsqueeze(nodes.Min(each, all_ - _range(nodes, n) * each), np.array([1, 2][: 2 - side]))


def _weights(nodes: Nodes, side: int, edges: tuple[Value, Value], n_blocks: Value, part: _Part, size: int) -> Value:
    """Return what each place of a result takes of each pixel along a side, (size, n_blocks) float64."""
    one = partial(_one, nodes, side)
    start, shown = nodes.cast(one(edges[0]), np.float64), one(part.shown)
    scale = nodes.cast(one(edges[1]) - one(edges[0]), np.float64) / shown
    place = nodes.Unsqueeze(np.arange(size, dtype=np.float64) - one(part.corner), np.array([1]))
    support = nodes.Max(scale, 1.0)
    center = (place + 0.5) * scale + start
    away = (_range(nodes, one(n_blocks)) - center + 0.5) * (1.0 / support)
    triangle = nodes.Max(1.0 - nodes.Abs(away), 0.0)
    weights = triangle / nodes.ReduceSum(triangle, np.array([1]))
    weights = nodes.Floor(weights * _WEIGHTS + 0.5) / _WEIGHTS
    there = nodes.And(nodes.GreaterOrEqual(place, 0.0), nodes.Less(place, shown))
    return nodes.Where(there, weights, 0.0)  # around what is shown is black


def _range(nodes: Nodes, n: Value) -> Value:
    return nodes.Range(0.0, n, 1.0)


def _one(nodes: Nodes, side: int, pair: Value) -> Value:
    return nodes.Gather(pair, np.array(side))
