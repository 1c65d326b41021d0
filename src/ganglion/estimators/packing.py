"""Weights in fewer bits on disk: int8 with a scale for each row, bfloat16, or without their zeros.

    int8       w = q s,  q a whole number in [-127, 127], s one for each row of the first axis      1 byte a weight
    bfloat16   the first half of a float32                                                          2 bytes
    sparse     one bit a weight says whether it is zero; only the others are written

Only weights that are of such a form already are written so (`ganglion.compression` brings them there): what is read is
to the bit what was written. In memory they are floats as before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganglion.errors import InvalidModel

LARGEST = 127  # of an int8: -128 is left out, so that both signs reach equally far
_DIGITS = 16  # binary ones of a scale: its products with whole numbers to 127 are exact in float32
_MARK = " as "  # between a tensor's name and the part of it that is written


def scales(weight: Tensor) -> Tensor:
    """Return the scale of each row of the first axis, rounded up so far that q · s is exact, (n,) float64."""
    most = weight.detach().abs().flatten(1).amax(1).double() / LARGEST
    mantissa, exponent = torch.frexp(most)
    return torch.ldexp(torch.ceil(mantissa * 2**_DIGITS) / 2**_DIGITS, exponent)


def whole_numbers(weight: Tensor, scale: Tensor) -> Tensor:
    """Return the whole numbers, in [-127, 127], that times the scale of their row are nearest to the weights."""
    along = scale.view(-1, *(1,) * (weight.dim() - 1))
    return torch.where(along > 0, weight.detach().double() / along, 0.0).round().clamp(-LARGEST, LARGEST)


def snapped(weight: Tensor, kind: str) -> Tensor:
    """Return the nearest weights that can be written as `kind`, int8 or bfloat16; snapped once more they stay."""
    if kind == "bfloat16":
        return weight.detach().bfloat16().to(weight.dtype)
    scale = scales(weight)
    return (whole_numbers(weight, scale) * scale.view(-1, *(1,) * (weight.dim() - 1))).to(weight.dtype)


def pack(tensors: Mapping[str, Tensor], kinds: Sequence[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors as they are written, and what the manifest must say to read them.

    Parameters
    ----------
    tensors : mapping of str to Tensor
    kinds : sequence of {"int8", "bfloat16", "sparse"}
        What to try with floats of two axes or more, in this order; a tensor that would not come back to the bit, or
        not be smaller, is written as it is.
    """
    written: dict[str, Tensor] = {}
    packing: dict[str, Any] = {}
    for name, tensor in tensors.items():
        parts, form = _smallest(tensor, kinds) if tensor.dim() > 1 and tensor.is_floating_point() else ({}, {})
        if parts and torch.equal(_restored(parts, form), tensor):
            written |= {f"{name}{_MARK}{part}": content for part, content in parts.items()}
            packing[name] = form
        else:
            written[name] = tensor
    return written, packing


def unpack(written: Mapping[str, Tensor], packing: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors that `pack` was given.

    Raises
    ------
    InvalidModel
        If parts are missing, or do not fit together.
    """
    tensors = dict(written)
    for name, form in packing.items():
        parts = {
            each.removeprefix(name + _MARK): tensors.pop(each) for each in written if each.startswith(name + _MARK)
        }
        try:
            tensors[name] = _restored(parts, form)
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
            raise InvalidModel(f"the packed weights {name!r:.80} do not fit together ({error!r:.80}).") from error
    return tensors


def _smallest(tensor: Tensor, kinds: Sequence[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a tensor's parts and how they are to be read; nothing where that is not smaller."""
    values, parts = tensor.detach(), {}
    form: dict[str, Any] = {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
    if "int8" in kinds:
        scale = scales(values)
        values, parts["scales"] = whole_numbers(values, scale).to(torch.int8), scale.float()
    elif "bfloat16" in kinds:
        values = values.bfloat16()
    bits = 8 * values.element_size()
    if "sparse" in kinds and int(values.count_nonzero()) * bits + values.numel() < values.numel() * bits:
        there = values.contiguous().view(-1) != 0
        parts["there"] = torch.from_numpy(np.packbits(there.numpy()))
        values = values.contiguous().view(-1)[there]
    parts["values"] = values.contiguous()
    form["parts"] = sorted(parts)
    size = sum(part.numel() * part.element_size() for part in parts.values())
    return (parts, form) if size < tensor.numel() * tensor.element_size() else ({}, {})


def _restored(parts: Mapping[str, Tensor], form: Mapping[str, Any]) -> Tensor:
    shape, values = [int(length) for length in form["shape"]], parts["values"]
    n = math.prod(shape)
    if sorted(parts) != form["parts"]:
        raise ValueError(f"there are {sorted(parts)}")
    if "there" in parts:
        if n > 8 * len(parts["there"]) or min(shape) < 0:
            raise ValueError("the shape is larger than the bits that are there")
        there = torch.from_numpy(np.unpackbits(parts["there"].numpy(), count=n)).bool()
        whole = values.new_zeros(n)
        whole[there] = values
        values = whole
    values = values.reshape(shape).double()
    if "scales" in parts:
        values = values * parts["scales"].double().view(-1, *(1,) * (len(shape) - 1))
    dtype = {"float32": torch.float32, "float64": torch.float64}[form["dtype"]]
    return values.to(dtype)
