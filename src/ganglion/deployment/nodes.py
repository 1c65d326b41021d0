"""Nodes of a graph, written as expressions: `nodes.Floor((a + 1) / b)` is an Add, a Div and a Floor.

The numbers that stand beside tensors are all of one type, which `Nodes` is told: graphs convert nothing by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np


class Nodes:
    """The nodes of one graph, in the order in which they are put: `nodes.NAME(…)` is `nodes.put("NAME", …)`.

    Parameters
    ----------
    helper : module
        `onnx.helper`.
    inside : str
        What the names of all that is made begin with.
    numbers : type
        Of the numbers that stand beside tensors.

    Attributes
    ----------
    made : list of NodeProto
    """

    def __init__(self, helper: Any, inside: str, numbers: type = np.float64) -> None:
        self._helper, self._inside, self._numbers, self._n_names = helper, inside, numbers, 0
        self.made: list[Any] = []

    def __getattr__(self, operator: str) -> Callable[..., Value]:
        if not operator[0].isupper():
            raise AttributeError(operator)
        return partial(self.put, operator)

    def tensor(self, name: str) -> Value:
        """Return a tensor that is there already."""
        return Value(self, name)

    def put(self, operator: str, *given: Number, into: str = "", **attributes: Any) -> Value:
        """Put a node, and return its output.

        Parameters
        ----------
        operator : str
        *given : Value, number or array
            Arrays keep their type.
        into : str
            What the output is called; a free name if none is given.
        **attributes
        """
        names = [each.name if isinstance(each, Value) else self._constant(each) for each in given]
        name = into or self._free(operator)
        self.made.append(self._helper.make_node(operator, names, [name], **attributes))
        return Value(self, name)

    def cast(self, given: Value, dtype: Any, into: str = "") -> Value:
        """Return a tensor in another type."""
        return self.put("Cast", given, into=into, to=self._kind(dtype))

    def choose(
        self, condition: Value, dtype: Any, yes: Callable[[], Value], no: Callable[[], Value], into: str = ""
    ) -> Value:
        """Return what one of two functions makes; the graph runs only that for which its condition asks.

        Parameters
        ----------
        condition : Value
            One truth.
        dtype : type
            Of what they make.
        yes, no : functions
            What they put is of their branch alone; they may use all tensors that are there.
        into : str
            What the result is called.
        """
        branches = {"then_branch": self._graph("yes", dtype, yes), "else_branch": self._graph("no", dtype, no)}
        return self.put("If", condition, into=into, **branches)

    def each(self, given: Value, types: tuple[Any, Any], function: Callable[[Value], Value]) -> Value:
        """Return what a function makes of the parts of a tensor along its first axis, one after the other.

        Parameters
        ----------
        given : Value
        types : tuple of type
            Of the tensor, and of what is made.
        function : Value → Value
        """
        part = self._free("part")
        entry = self._helper.make_tensor_value_info(part, self._kind(types[0]), None)
        body = self._graph("each", types[1], lambda: function(self.tensor(part)), [entry])
        return self.Scan(given, body=body, num_scan_inputs=1)

    def _graph(self, name: str, dtype: Any, function: Callable[[], Value], inputs: Sequence[Any] = ()) -> Any:
        outside, self.made = self.made, []
        result = self._helper.make_tensor_value_info(function().name, self._kind(dtype), None)
        inside, self.made = self.made, outside
        return self._helper.make_graph(inside, self._free(name), list(inputs), [result])

    def _constant(self, values: float | np.ndarray) -> str:
        array = values if isinstance(values, np.ndarray) else np.array(values, dtype=self._numbers)
        name = self._free("constant")
        stored = self._helper.make_tensor(name, self._kind(array.dtype), array.shape, array.ravel())
        self.made.append(self._helper.make_node("Constant", [], [name], value=stored))
        return name

    def _kind(self, dtype: Any) -> int:
        return self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def _free(self, what: str) -> str:
        self._n_names += 1
        return f"{self._inside}{what} {self._n_names}"


class Value:
    """A tensor of a graph: what is reckoned with it becomes nodes.

    Parameters
    ----------
    nodes : Nodes
    name : str
    """

    __array_ufunc__ = None  # arrays to the left leave it to this class

    def __init__(self, nodes: Nodes, name: str) -> None:
        self.nodes, self.name = nodes, name

    def __add__(self, other: Number) -> Value:
        return self.nodes.Add(self, other)

    def __sub__(self, other: Number) -> Value:
        return self.nodes.Sub(self, other)

    def __rsub__(self, other: Number) -> Value:
        return self.nodes.Sub(other, self)

    def __mul__(self, other: Number) -> Value:
        return self.nodes.Mul(self, other)

    def __truediv__(self, other: Number) -> Value:
        return self.nodes.Div(self, other)

    def __rtruediv__(self, other: Number) -> Value:
        return self.nodes.Div(other, self)


Number = Value | float | np.ndarray
