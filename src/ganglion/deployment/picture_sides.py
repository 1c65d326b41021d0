"""Pictures of any size in a graph: continued to the sides that a network takes, and what is said of them cut back.

    side'  = m · max(2, ⌈side / m⌉)        m: a network that halves pictures log2 m times

What stands beyond a picture repeats its last row and column, as the network itself has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.deployment.nodes import Nodes

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
    nodes = Nodes(helper, f"{_HERE}/", np.int64)
    pixels, none = nodes.tensor(name), np.zeros(6, np.int64)
    sides = nodes.Shape(pixels, start=1, end=3, into=_HERE)
    beyond = nodes.Max((sides + (multiple - 1)) / multiple, 2) * multiple - sides
    nodes.Pad(pixels, nodes.Concat(none[:5], beyond, none[5:], axis=0), mode="edge", into=to)
    return nodes.made


def cut_back(helper: Any, name: str, to: str, shape: tuple[int | str, ...]) -> list[Any]:
    """Return the nodes that leave of what is said of larger pictures what is of the pictures.

    Parameters
    ----------
    helper : module
    name, to : str
    shape : tuple of int or str
        In which "H" and "W" are the axes to be cut.
    """
    nodes = Nodes(helper, f"{to}/", np.int64)
    axes = np.array([shape.index(side) for side in SIDES])
    nodes.Slice(nodes.tensor(name), np.zeros(2, np.int64), nodes.tensor(_HERE), axes, into=to)
    return nodes.made
