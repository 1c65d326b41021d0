"""The self-test inside an exported C file: stored rows, the answers that the original gave, and how far they may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganglion.deployment.c_answer import n_outputs
from ganglion.deployment.c_code import number, text
from ganglion.deployment.c_rows import inputs_of
from ganglion.deployment.examples import examples
from ganglion.deployment.parity import TOLERANCE, Parity, answers_of
from ganglion.deployment.rows import feeds_of
from ganglion.deployment.signature import Signature
from ganglion.estimators.base import Estimator

ROWS = 16
PIXELS = 2**14  # of all stored images together
_MAIN = """
#ifdef GANGLION_SELF_TEST
#include <stdio.h>
{rows}static const double answers[{n}][{k}] = {{
{answers}
}};

int main(void)
{{
    double outputs[{k}], most = 0;
    for (int i = 0; i < {n}; i++) {{
        {name}_predict({arguments}, outputs);
        for (int j = 0; j < {k}; j++) {{
            double apart = fabs(outputs[j] - answers[i][j]) / fmax({unit}, {relative}fabs(answers[i][j]));
            if (!(apart <= most)) most = apart;
        }}
    }}
    printf("{n} rows, largest difference %g, {tolerance} is allowed: ", most);
    puts(most <= {tolerance} ? "passed" : "FAILED");
    return !(most <= {tolerance});
}}
#endif
"""


def self_test(model: Estimator, signature: Signature, name: str, parity: Parity) -> str:
    """Return the self-test of a C file, which `-DGANGLION_SELF_TEST` makes a program.

    Parameters
    ----------
    model : Estimator
    signature : Signature
    name : str
        What public names begin with.
    parity : Parity
        What the comparison before found: twice its largest difference is allowed, or the usual tolerance.
    """
    given, X = next((own, X) for what, own, X in examples(model, signature) if what.startswith("33"))
    columns = X if isinstance(X, dict) else {signature.inputs[0].name: X}
    feeds = {each: values[:ROWS] for each, values in feeds_of(signature, columns).items()}
    if signature.modality == "image":
        few = max(1, PIXELS // max(1, next(iter(feeds.values()))[0].size))
        feeds = {each: values[:few] for each, values in feeds.items()}
    said = answers_of(model, given)
    parts = [said[each.role].reshape(len(said[each.role]), -1) for each in signature.outputs if each.role != "label"]
    answers = np.concatenate(parts, 1)[: len(next(iter(feeds.values())))]
    rows, arguments = _images(signature, feeds) if signature.modality == "image" else _columns(signature, feeds)
    unit = float(np.max(model.target_.deviation)) if not signature.classes else 1.0
    return _MAIN.format(
        name=name,
        n=len(answers),
        k=n_outputs(signature),
        rows=rows,
        arguments=arguments,
        answers=_block(answers, "double"),
        unit=repr(unit),
        relative="" if not signature.output("probabilities") else "0 * ",
        tolerance=f"{max(TOLERANCE, 2 * parity.difference):.3g}",
    )


def _images(signature: Signature, feeds: dict[str, Any]) -> tuple[str, str]:
    (each,) = signature.inputs
    kind = "unsigned char" if each.dtype == "uint8" else "float"
    pixels = feeds[each.name].reshape(len(feeds[each.name]), -1)
    rows = f"static const {kind} test_pixels[{len(pixels)}][{pixels.shape[1]}] = {{\n{_block(pixels, 'real')}\n}};\n"
    return rows, "test_pixels[i]"


def _columns(signature: Signature, feeds: dict[str, Any]) -> tuple[str, str]:
    numbers, categories = inputs_of(signature)
    n = len(next(iter(feeds.values())))
    rows, arguments = "", ["NULL", "NULL"]
    if numbers:
        block = np.concatenate([feeds[each.name] for each in signature.inputs if each.kind != "categorical"], 1)
        rows += f"static const double test_numbers[{n}][{len(numbers)}] = {{\n{_block(block, 'double')}\n}};\n"
        arguments[0] = "test_numbers[i]"
    if categories:
        labels = [feeds[each.name][:, 0] for each in signature.inputs if each.kind == "categorical"]
        lines = ",\n".join("    { " + ", ".join(text(column[i]) for column in labels) + " }" for i in range(n))
        rows += f"static const char *const test_categories[{n}][{len(categories)}] = {{\n{lines}\n}};\n"
        arguments[1] = "test_categories[i]"
    return rows, ", ".join(arguments)


def _block(values: np.ndarray, kind: str) -> str:
    return ",\n".join("    { " + ", ".join(number(each, kind) for each in row) + " }" for row in values.tolist())
