"""A model as one C file and its header: from raw columns or pixels to the answer, and a self-test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganglion.deployment.c_answer import answer, n_outputs
from ganglion.deployment.c_code import Code, text
from ganglion.deployment.c_plan import plan_of
from ganglion.deployment.c_rows import image_rows, inputs_of, table_rows
from ganglion.deployment.signature import Signature
from ganglion.estimators.base import Estimator
from ganglion.version import __version__


@dataclass(frozen=True)
class Written:
    """The two files of a model, as text, and the name that everything in them begins with."""

    name: str
    source: str
    header: str


def files_of(model: Estimator, signature: Signature, name: str, *, double: bool, quantized: bool, test: str) -> Written:
    """Return a model as C.

    Parameters
    ----------
    model : Estimator
    signature : Signature
    name : str
        What all public names begin with.
    double : bool
        Whether it computes in double.
    quantized : bool
        Whether weights and inputs of layers are whole numbers of 8 bits.
    test : str
        The self-test, or "".

    Raises
    ------
    ExportRefused
        If a part of the model has no C code.
    """
    code = Code(double, quantized)
    network: Any = model.network_
    prepare, entry = (
        image_rows(code, signature, network.input) if signature.modality == "image" else table_rows(code, model)
    )
    x, _ = code.run(plan_of(network.body), *entry)
    parts = [
        f'#include "{name}.h"\n\n#include <math.h>\n#include <stdint.h>\n#include <string.h>\n',
        f"typedef {'double' if double else 'float'} real;\n",
        *code.arrays,
        *(each.lstrip("\n") for each in code.functions.values()),
        "\n".join((*code.buffers, *code.quantizing)) + "\n",
        _names(signature, name),
        f"{_head(signature, name)}\n{{\n{prepare}"
        + "".join(f"    {call}\n" for call in code.calls)
        + answer(signature, network.output, x)
        + "}\n",
    ]
    return Written(name, _comment(signature) + "\n".join(parts) + test, _header(model, signature, name))


def _comment(signature: Signature) -> str:
    return (
        f"/* {signature.estimator}, written by Ganglion {__version__}. C99, no dependency but the C library's math.\n"
        "   Buffers are static: one thread at a time. Self-test: compile with -DGANGLION_SELF_TEST and run. */\n\n"
    )


def _head(signature: Signature, name: str) -> str:
    if signature.modality == "image":
        kind = "unsigned char" if signature.inputs[0].dtype == "uint8" else "float"
        return f"int {name}_predict(const {kind} pixels[], double outputs[])"
    return f"int {name}_predict(const double numbers[], const char *const categories[], double outputs[])"


def _header(model: Estimator, signature: Signature, name: str) -> str:
    guard, upper = f"GANGLION_{name.upper()}_H", name.upper()
    sizes = {"OUTPUTS": n_outputs(signature), "CLASSES": len(signature.classes)}
    if signature.modality == "image":
        height, width, channels = signature.inputs[0].shape[1:]
        sizes |= {"HEIGHT": height, "WIDTH": width, "CHANNELS": channels}
        takes = "   pixels: row by row, the channels of a pixel side by side."
    else:
        numbers, categories = inputs_of(signature)
        sizes |= {"NUMBERS": len(numbers), "CATEGORIES": len(categories)}
        takes = (
            "   numbers: NAN where one is missing; truth values are 0 or 1, dates seconds since 1970-01-01 UTC.\n"
            '   categories: UTF-8; NULL, "" or one that training never saw all count as unknown.'
        )
    gives = (
        "   outputs: the probability of each class. Returns the place of the likeliest among the classes."
        if signature.output("probabilities")
        else "   outputs: the scores. Returns the place of the class."
        if signature.classes
        else "   outputs: the prediction"
        + (", then its deviation" if signature.output("deviation") else "")
        + ". Returns 0."
    )
    if signature.multilabel:
        gives = "   outputs: the probability of each label. Returns how many are above one half."
    names = [f"extern const char *const {name}_{each}[];" for each, values in _named(signature) if values]
    lines = [
        f"/* {signature.estimator}"
        + (f" for {signature.target}" if signature.target else "")
        + f", Ganglion {__version__}.",
        takes.replace("*/", "* /"),
        gives + " */",
        f"#ifndef {guard}\n#define {guard}\n",
        *(f"#define {upper}_{what} {n}" for what, n in sizes.items()),
        "",
        *names,
        f"{_head(signature, name)};",
        "\n#endif",
    ]
    return "\n".join(lines) + "\n"


def _named(signature: Signature) -> list[tuple[str, list[str]]]:
    numbers, categories = inputs_of(signature) if signature.modality == "table" else ([], [])
    classes = [str(label) for label in signature.classes]
    return [("numbers_names", numbers), ("categories_names", categories), ("classes", classes)]


def _names(signature: Signature, name: str) -> str:
    parts = []
    for what, values in _named(signature):
        if values:
            lines = ",\n    ".join(map(text, values))
            parts.append(f"const char *const {name}_{what}[] = {{\n    {lines}\n}};\n")
    return "\n".join(parts)
