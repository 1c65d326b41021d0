"""Pictures of any size in a graph: continued to the sides that a network takes, and what is said of them cut back.

    side'  = m · max(2, ⌈side / m⌉)        m: a network that halves pictures log2 m times

What stands beyond a picture repeats its last row and column, as the network itself has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIDES = ("H", "W")
_HERE = "net/sides"  # height and width of the pictures, (2,) int64, in the graph


def continued(helper: Any, name: str, to: str, multiple: int) -> list[Any]:
    """Return the nodes that continue pictures (N, H, W, C).

    Parameters
    ----------
    helper : module
        `onnx.helper`.
    name, to : str
        Of the pictures, and of the larger ones.
    multiple : int
    """
    numbers = {"one": [multiple], "less": [multiple - 1], "two": [2], "axes": [1, 2], "none": [0] * 5, "last": [0]}
    nodes = [_constant(helper, f"{_HERE}/{key}", value) for key, value in numbers.items()]
    for operator, given, made in (
        ("Shape", [name], "shape"),
        ("Gather", ["net/sides/shape", f"{_HERE}/axes"], ""),
        ("Add", [_HERE, f"{_HERE}/less"], "most"),
        ("Div", [f"{_HERE}/most", f"{_HERE}/one"], "multiples"),
        ("Max", [f"{_HERE}/multiples", f"{_HERE}/two"], "enough"),
        ("Mul", [f"{_HERE}/enough", f"{_HERE}/one"], "whole"),
        ("Sub", [f"{_HERE}/whole", _HERE], "beyond"),
    ):
        nodes.append(helper.make_node(operator, given, [f"{_HERE}/{made}" if made else _HERE]))
    parts = [f"{_HERE}/{part}" for part in ("none", "beyond", "last")]
    nodes.append(helper.make_node("Concat", parts, [f"{_HERE}/pads"], axis=0))
    nodes.append(helper.make_node("Pad", [name, f"{_HERE}/pads"], [to], mode="edge"))
    return nodes


def cut_back(helper: Any, name: str, to: str, shape: tuple[int | str, ...]) -> list[Any]:
    """Return the nodes that leave of what is said of larger pictures what is of the pictures.

    Parameters
    ----------
    helper : module
    name, to : str
    shape : tuple of int or str
        In which "H" and "W" are the axes to be cut.
    """
    axes = [shape.index(side) for side in SIDES]
    start, along = f"{to}/start", f"{to}/axes"
    return [
        _constant(helper, start, [0, 0]),
        _constant(helper, along, axes),
        helper.make_node("Slice", [name, start, _HERE, along], [to]),
    ]


def _constant(helper: Any, name: str, value: list[int]) -> Any:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(np.int64))
    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, kind, [len(value)], value))
