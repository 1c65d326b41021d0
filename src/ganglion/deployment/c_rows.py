"""The C code that makes one row of numbers of raw columns, or of pixels: the preprocessing."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from ganglion.data.encoding import PERIODS_S, TableEncoder
from ganglion.deployment.c_code import Code, text
from ganglion.deployment.signature import Signature
from ganglion.errors import ExportRefused
from ganglion.estimators.base import Estimator
from ganglion.networks.inputs import FARTHEST, ImageInput, TableInput

Made = tuple[str, tuple[str, tuple[int, ...]]]  # the code, and the name and shape of what it makes

_DATE = """    { /* {name}: the time itself, and its place in the year, the week and the day */
        static const double periods[3] = { {periods} };
        raw[k++] = numbers[{i}];
        for (int p = 0; p < 3; p++) {
            double turn = numbers[{i}] / periods[p];
            turn = 6.283185307179586 * (turn - floor(turn));
            raw[k++] = sin(turn);
            raw[k++] = cos(turn);
        }
    }
"""


def inputs_of(signature: Signature) -> tuple[list[str], list[str]]:
    """Return the names of the numbers of a row, and of its categories, in the order in which C takes them."""
    numbers, categories = [], []
    for each in signature.inputs:
        if each.kind == "categorical":
            categories.append(each.name)
        elif each.kind == "numbers":
            numbers += [f"{each.name}{i}" for i in range(int(each.shape[1]))]
        else:
            numbers.append(each.name)
    return numbers, categories


def image_rows(code: Code, signature: Signature, entry: Any) -> Made:
    """Return the code that scales pixels and puts channels first, and what it makes.

    Parameters
    ----------
    code : Code
    signature : Signature
    entry : Module
        The network's input layer.
    """
    if not isinstance(entry, ImageInput):
        raise ExportRefused(f"the input layer {type(entry).__name__} has no C code. Export to .onnx.")
    height, width, channels = (int(n) for n in signature.inputs[0].shape[1:])
    center = code.array(entry.center.numpy().ravel().astype(np.float64), "float")
    factor = code.array(entry.factor.numpy().ravel().astype(np.float64), "float")
    x = code.buffer(channels * height * width)
    prepare = (
        f"    for (int c = 0; c < {channels}; c++)\n        for (int i = 0; i < {height * width}; i++)\n"
        f"            {x}[c * {height * width} + i] = "
        f"((float)pixels[i * {channels} + c] - {center}[c]) * {factor}[c];\n"
    )
    return prepare, (x, (channels, height, width))


def table_rows(code: Code, model: Estimator) -> Made:
    """Return the code that imputes, scales and embeds raw columns, and what it makes.

    Parameters
    ----------
    code : Code
    model : Estimator
    """
    entry, encoder = model.network_.input, cast(TableEncoder, model.encoder_)
    if type(entry) is not TableInput or entry.scaling == "quantile":
        what = type(entry).__name__ + (" with scaling='quantile'" if type(entry) is TableInput else "")
        raise ExportRefused(f"the input layer {what} has no C code. Export to .onnx.")
    x = code.buffer(entry.n_out)
    lines = [f"    real *x = {x};\n"]
    if entry.numeric:
        lines.append(_numbers(code, encoder, entry))
    else:
        lines.append("    (void)numbers;\n")
    if entry.n_categorical:
        lines.append(_categories(code, encoder, entry))
    else:
        lines.append("    (void)categories;\n")
    return "".join(lines), (x, (entry.n_out,))


def _numbers(code: Code, encoder: TableEncoder, entry: TableInput) -> str:
    center = code.array(entry.center.numpy(), "double")
    factor = code.array(entry.factor.numpy(), "double")
    lines = [f"    double raw[{entry.numeric}];\n    int k = 0;\n"]
    i = 0
    for each in encoder.numeric:
        width = math.prod(each.shape)
        if each.kind == "date":
            periods = ", ".join(map(repr, PERIODS_S.values()))
            made = _DATE.replace("{name}", "a date").replace("{periods}", periods).replace("{i}", str(i))
            lines.append(made)
        elif width > 1:
            lines.append(f"    for (int j = 0; j < {width}; j++) raw[k++] = numbers[{i} + j];\n")
        else:
            lines.append(f"    raw[k++] = numbers[{i}];\n")
        i += width
    bend = "        v = v / sqrt((v / 3) * (v / 3) + 1);\n" if entry.scaling == "robust" else ""
    lines.append(
        "    for (int j = 0; j < k; j++) {\n"
        f"        double v = isnan(raw[j]) ? 0 : (raw[j] - {center}[j]) * {factor}[j];\n"
        f"        v = v > {FARTHEST!r} ? {FARTHEST!r} : v < -{FARTHEST!r} ? -{FARTHEST!r} : v;\n{bend}"
        "        *x++ = (real)v;\n    }\n"
    )
    lines += [f"    *x++ = isnan(raw[{j}]) ? 1 : 0;\n" for j in entry.missing.tolist()]
    return "".join(lines)


def _categories(code: Code, encoder: TableEncoder, entry: TableInput) -> str:
    vectors = entry.vectors.weight.detach().double().numpy()
    width, table = vectors.shape[1], code.array(vectors)
    lines = []
    for j, (each, first) in enumerate(zip(encoder.categorical, entry.first_code.tolist(), strict=True)):
        known = f"c{j}"
        values = ", ".join(map(text, each.categories)) or '""'
        n = len(each.categories) or 1
        if each.categories:
            code.arrays.append(f"static const char *const {known}[{n}] = {{ {values} }};\n")
        search = (
            f"        for (int i = 0; i < {n} && categories[{j}]; i++)\n"
            f"            if (strcmp(categories[{j}], {known}[i]) == 0) place = i + 1;\n"
            if each.categories
            else "        (void)categories;\n"
        )
        lines.append(
            f"    {{\n        int place = 0;\n{search}"
            f"        for (int i = 0; i < {width}; i++) *x++ = {table}[({first} + place) * {width} + i];\n    }}\n"
        )
    return "".join(lines)
