"""A plan as C: arrays of weights, and the calls that go through them, from `x` on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ganglion.deployment.c_helpers import FUNCTIONS, activation
from ganglion.deployment.c_plan import (
    Activation,
    Convolution,
    Dense,
    Mean,
    Normalized,
    Pool,
    Residual,
    Shape,
    Step,
)

PER_LINE = 8


@dataclass
class Code:
    """C code in the making.

    Attributes
    ----------
    double : bool
        Whether `real` is double.
    quantized : bool
        Whether weights are whole numbers of 8 bits.
    """

    double: bool = False
    quantized: bool = False
    functions: dict[str, str] = field(default_factory=dict)
    arrays: list[str] = field(default_factory=list)
    buffers: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    most: int = 0  # numbers that are made whole at once

    def run(self, steps: tuple[Step, ...], name: str, shape: Shape) -> tuple[str, Shape]:
        """Add the calls of some steps, and return the name and the shape of what they give."""
        for step in steps:
            name, shape = self._step(step, name, shape)
        return name, shape

    def array(self, values: np.ndarray, kind: str = "real", name: str = "") -> str:
        """Add a constant array, and return its name."""
        name = name or f"a{len(self.arrays)}"
        flat = values.ravel().tolist()
        written = [number(each, kind, double=self.double) for each in flat]
        lines = [", ".join(written[i : i + PER_LINE]) for i in range(0, len(written), PER_LINE)]
        self.arrays.append(f"static const {kind} {name}[{len(flat)}] = {{\n    " + ",\n    ".join(lines) + "\n};\n")
        return name

    def buffer(self, n: int) -> str:
        """Add a buffer of n numbers, and return its name."""
        name = f"t{len(self.buffers)}"
        self.buffers.append(f"static real {name}[{n}];")
        return name

    @property
    def quantizing(self) -> list[str]:
        """The buffer of whole numbers, if there is one."""
        return [f"static signed char whole[{self.most}];"] if self.most else []

    def _step(self, step: Step, name: str, shape: Shape) -> tuple[str, Shape]:
        if isinstance(step, Activation):
            self.functions[step.name] = activation(step.name)
            self.calls.append(f"{step.name}({math.prod(shape)}, {name});")
            return name, shape
        if isinstance(step, Residual):
            return self._residual(step, name, shape)
        if isinstance(step, Convolution) and len(shape) == 1:
            shape = (1, 1, *shape)  # a row of a table is a signal
        given, shape_in = name, shape
        shape = _shape_of(step, shape)
        name = self.buffer(math.prod(shape))
        if isinstance(step, Dense | Convolution):
            self._products(step, given, shape_in, name)
        elif isinstance(step, Pool):
            self._use("pool")
            n, h, w = shape_in
            self.calls.append(
                f"pool({int(step.kind == 'max')}, {n}, {h}, {w}, {step.size[0]}, {step.size[1]}, {given}, {name});"
            )
        elif isinstance(step, Mean):
            self._use("mean")
            self.calls.append(f"mean({shape_in[0]}, {math.prod(shape_in[1:])}, {given}, {name});")
        else:
            self._normalize(step, given, math.prod(shape), name)
        return name, shape

    def _products(self, step: Dense | Convolution, given: str, shape: Shape, name: str) -> None:
        """Add a layer of products, of floats or of whole numbers."""
        kind = "dense" if isinstance(step, Dense) else "convolve"
        sizes = [*step.weight.shape, *(shape[1:] if kind == "convolve" else ())]
        whole = ""
        if self.quantized:
            self._use("quantize")
            kind += "_int8"
            scale = np.abs(step.weight).reshape(len(step.weight), -1).max(1) / 127
            rows = scale.reshape(-1, *[1] * (step.weight.ndim - 1))
            codes = np.round(np.divide(step.weight, rows, out=np.zeros_like(step.weight), where=rows > 0)).astype(
                np.int64
            )
            weights = f"{self.array(codes, 'signed char')}, {self.array(scale)}"
            self.most, whole = max(self.most, math.prod(shape)), ", whole"
        else:
            weights = self.array(step.weight)
        self._use(kind)
        self.calls.append(
            f"{kind}({weights}, {self.array(step.bias)}, {', '.join(map(str, sizes))}, {given}, {name}{whole});"
        )

    def _normalize(self, step: Normalized, given: str, n: int, name: str) -> None:
        self._use("normalize")
        weight, bias = self.array(step.weight), self.array(step.bias)
        self.calls.append(f"normalize({weight}, {bias}, {step.epsilon!r}, {n}, {given}, {name});")

    def _residual(self, step: Residual, name: str, shape: Shape) -> tuple[str, Shape]:
        self._use("add")
        shortcut, _ = self.run(step.shortcut, name, shape)
        inner, shape = self.run(step.inner, name, shape)
        self.calls.append(f"add({math.prod(shape)}, {shortcut}, {inner});")
        return inner, shape

    def _use(self, function: str) -> None:
        self.functions[function] = FUNCTIONS[function]


def _shape_of(step: Step, shape: Shape) -> Shape:
    """Return the shape of what a step gives."""
    if isinstance(step, Dense):
        return (len(step.weight),)
    if isinstance(step, Convolution):
        return (len(step.weight), *shape[1:])
    if isinstance(step, Pool):
        return (shape[0], -(-shape[1] // step.size[0]), -(-shape[2] // step.size[1]))
    return (shape[0],) if isinstance(step, Mean) else shape


def number(value: float, kind: str = "real", *, double: bool = False) -> str:
    """Return a number as C has it; NaN and infinity by their names in math.h."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    if kind == "double" or double:
        return repr(float(value))
    written = f"{np.float32(value):.9g}"
    return written + ("f" if "." in written or "e" in written else ".0f")


def text(value: str) -> str:
    """Return a text as a literal of C: what is not plain ASCII as octal numbers of its UTF-8 bytes."""
    parts = [chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in value.encode()]
    return '"' + "".join(parts) + '"'
