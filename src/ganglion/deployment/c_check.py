"""Exported C, compiled in a folder of its own and asked as any other exported model is."""

from __future__ import annotations

import math
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.deployment.c_answer import n_outputs
from ganglion.deployment.c_file import Written
from ganglion.deployment.c_rows import inputs_of
from ganglion.deployment.forms import columns_of
from ganglion.deployment.rows import feeds_of
from ganglion.deployment.signature import Signature
from ganglion.errors import ExportRefused

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror")
SECONDS = 120
_TABLE = """
#include "{name}.c"
#include <stdio.h>
#include <stdlib.h>
int main(void)
{{
    static double numbers[{numbers} + 1], outputs[{outputs}];
    const char *categories[{categories} + 1];
    for (;;) {{
        if ({numbers} && fread(numbers, sizeof(double), {numbers}, stdin) != {numbers}) break;
        for (int j = 0; j < {categories}; j++) {{
            int32_t length;
            if (fread(&length, 4, 1, stdin) != 1) return 0;
            char *label = calloc((size_t)length + 1, 1);
            if (!label || fread(label, 1, (size_t)length, stdin) != (size_t)length) return 1;
            categories[j] = label;
        }}
        int32_t place = {name}_predict(numbers, categories, outputs);
        fwrite(&place, 4, 1, stdout);
        fwrite(outputs, sizeof(double), {outputs}, stdout);
    }}
    return 0;
}}
"""
_IMAGE = """
#include "{name}.c"
#include <stdio.h>
int main(void)
{{
    static {kind} pixels[{pixels}];
    static double outputs[{outputs}];
    while (fread(pixels, sizeof pixels[0], {pixels}, stdin) == {pixels}) {{
        int32_t place = {name}_predict(pixels, outputs);
        fwrite(&place, 4, 1, stdout);
        fwrite(outputs, sizeof(double), {outputs}, stdout);
    }}
    return 0;
}}
"""


def compiler() -> str | None:
    """Return the path of a C compiler, or None if there is none."""
    return next((found for name in COMPILERS if (found := shutil.which(name))), None)


class Compiled:
    """A model as a program: answers by role, as `OnnxModel.answer` gives them.

    Parameters
    ----------
    written : Written
    signature : Signature
    folder : Path
        An empty one; it is needed as long as the model is asked.
    """

    def __init__(self, written: Written, signature: Signature, folder: Path) -> None:
        self.signature, self.program = signature, folder / "driver"
        (folder / f"{written.name}.c").write_text(written.source)
        (folder / f"{written.name}.h").write_text(written.header)
        (folder / "driver.c").write_text(_driver(written.name, signature))
        compile_c(folder / "driver.c", self.program)

    def answer(self, X: Any) -> dict[str, np.ndarray]:
        """Return what the program says of rows, by role.

        Parameters
        ----------
        X : mapping of str to columns, array-like or images
        """
        feeds = feeds_of(self.signature, columns_of(self.signature, X))
        done = subprocess.run(
            [self.program], input=_bytes(self.signature, feeds), capture_output=True, timeout=SECONDS, check=True
        )
        n = n_outputs(self.signature)
        found = np.frombuffer(done.stdout, dtype=[("place", "<i4"), ("outputs", "<f8", (n,))])
        return _by_role(self.signature, found["place"], found["outputs"])


def compile_c(source: Path, program: Path, *flags: str) -> None:
    """Compile a C file; a warning is an error.

    Raises
    ------
    ExportRefused
        If there is no compiler, or it does not take the file.
    """
    found = compiler()
    if found is None:
        raise ExportRefused(
            f"there is no C compiler here ({', '.join(COMPILERS)}) to check what would be written. Install one, or "
            "give check=False and run the self-test in the file where it is used."
        )
    command = [found, *FLAGS, *flags, str(source), "-o", str(program), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise ExportRefused(f"the C compiler {found} does not take what was written: {done.stderr.strip()[:500]}")


def _driver(name: str, signature: Signature) -> str:
    facts = {"name": name, "outputs": n_outputs(signature)}
    if signature.modality == "image":
        (pixels,) = signature.inputs
        kind = "unsigned char" if pixels.dtype == "uint8" else "float"
        return _IMAGE.format(**facts, kind=kind, pixels=math.prod(int(n) for n in pixels.shape[1:]))
    numbers, categories = inputs_of(signature)
    return _TABLE.format(**facts, numbers=len(numbers), categories=len(categories))


def _bytes(signature: Signature, feeds: dict[str, np.ndarray]) -> bytes:
    """Return rows as the program reads them."""
    if signature.modality == "image":
        return feeds[signature.inputs[0].name].tobytes()
    numbers = [feeds[each.name] for each in signature.inputs if each.kind != "categorical"]
    labels = [feeds[each.name][:, 0] for each in signature.inputs if each.kind == "categorical"]
    n = len(next(iter(feeds.values())))
    block = np.concatenate(numbers, 1) if numbers else np.empty((n, 0))
    parts = []
    for i in range(n):
        parts.append(block[i].astype("<f8").tobytes())
        for column in labels:
            raw = column[i].encode()
            parts += [struct.pack("<i", len(raw)), raw]
    return b"".join(parts)


def _by_role(signature: Signature, places: np.ndarray, outputs: np.ndarray) -> dict[str, np.ndarray]:
    said, start = {}, 0
    for each in signature.outputs:
        if each.role == "label":
            continue
        width = int(each.shape[1]) if len(each.shape) > 1 else 1
        part = outputs[:, start : start + width]
        said[each.role], start = part if len(each.shape) > 1 else part[:, 0], start + width
    if signature.multilabel:
        said["label"] = (said["probabilities"] > 0.5).astype(np.int64)
    elif signature.classes:
        said["label"] = signature.labels[places]
    return said
