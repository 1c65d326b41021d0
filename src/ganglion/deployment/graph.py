"""A whole model as one ONNX graph: texts of categories → codes → network → places among the classes → labels.

torch exports the network; the two ends, which know texts, are put on here. Every name inside begins with "net/", so
that no column of a user can meet one.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganglion.deployment.core import Core
from ganglion.deployment.hearing import with_transforms
from ganglion.deployment.operators import read_operators_once
from ganglion.deployment.packages import onnx_package
from ganglion.deployment.picture_sides import SIDES, continued, cut_back
from ganglion.deployment.picture_sizes import brought, moved_back
from ganglion.deployment.recurrent import with_operators
from ganglion.deployment.signature import Input, Signature
from ganglion.estimators.base import Estimator
from ganglion.networks.network import Network

PURPOSE = "exporting a model"
INSIDE = "net/"
OPSET = 20  # the first with operators that join strings
ROWS, STEPS = 3, 5  # of the tensors that the network is traced with; all axes of any length stay so
AUDIBLE = 8  # seconds of the recordings that it is traced with: several windows, even of the longest
_TRACED = {"N": ROWS, "T": STEPS, "H": 3, "W": 4}  # sides of pictures: so many multiples of what a network wants
CODE, PLACE = "code/", "place/"  # between the network and the two ends
_TORCH = {"float64": torch.float64, "float32": torch.float32, "int64": torch.int64, "uint8": torch.uint8}
# what torch's exporter raises for what it cannot trace or has no operator for
TRACING = (RuntimeError, ValueError, TypeError, AttributeError, AssertionError, LookupError)


def network_of(model: Estimator, dtype: torch.dtype) -> Network:
    """Return a copy of a model's network that computes in `dtype`, and whose layers can all be exported."""
    network = copy.deepcopy(model.network_).cast(dtype).eval().requires_grad_(False)
    with_operators(network)
    with_transforms(network)
    for module in network.modules():  # what is decided once, by a buffer, is no branch of a graph
        for name, buffer in list(module.named_buffers(recurse=False)):
            if buffer.dtype == torch.bool and not buffer.dim():
                delattr(module, name)
                setattr(module, name, bool(buffer))
    return network


def graph_of(core: Core) -> tuple[Any, Signature]:
    """Return a model as an ONNX model, and its signature, in which the outputs have the types that came of it.

    Parameters
    ----------
    core : Core
        Around a network of `network_of`.
    """
    proto = traced(core, core.signature.inputs)
    _put_in_front(proto, core)
    signature = _put_behind(proto, core.signature)
    onnx_package("onnx.checker", PURPOSE).check_model(proto)
    return proto, signature


def traced(core: Core, inputs: tuple[Input, ...]) -> Any:
    """Return the ONNX model of a module of plain tensors: "code/0", "code/1", … → "place/0", … in their order.

    Raises
    ------
    RuntimeError, ValueError, TypeError, AttributeError, AssertionError, LookupError
        What torch raises where a layer cannot be traced for any number of rows and steps.
    """
    for package in ("onnx", "onnxscript"):
        onnx_package(package, PURPOSE)
    read_operators_once()
    inputs = tuple(each.brought for each in inputs)
    axes = {name: _axis(name, core.sides) for each in inputs for name in each.shape if isinstance(name, str)}
    examples = tuple(_example(each, core.sides) for each in inputs)
    dynamic = tuple({i: axes[n] for i, n in enumerate(each.shape) if isinstance(n, str)} for each in inputs)
    with _quiet(), torch.no_grad():
        program = torch.export.export(
            core.eval(),
            examples,
            dynamic_shapes=(dynamic,),
            strict=False,
            prefer_deferred_runtime_asserts_over_guards=True,
        )
        made = torch.onnx.export(program, dynamo=True, verbose=False, opset_version=OPSET)
    if made is None:
        raise RuntimeError("torch.onnx gave no program")
    proto = made.model_proto
    _rename(proto)
    return proto


def _axis(name: str, sides: int) -> Any:
    """Return an axis of any length; of pictures of any that is two multiples of `sides` or more."""
    return sides * torch.export.Dim(name, min=2) if name in SIDES else torch.export.Dim(name)


def _example(each: Input, sides: int) -> Tensor:
    sizes = [_TRACED[n] * (sides if n in SIDES else 1) if isinstance(n, str) else n for n in each.shape]
    if each.kind == "audio":
        sizes[1] = AUDIBLE * each.rate
    if each.kind == "categorical":
        return torch.zeros(sizes, dtype=torch.int64)
    if each.kind == "length":
        return torch.full(sizes, STEPS)
    return torch.ones(sizes, dtype=_TORCH[each.dtype])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what torch's exporter says of its own parts from the user."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _rename(proto: Any) -> None:
    """Name inputs and outputs by their places, put all other names inside, and leave out what no one needs to run."""
    graph = proto.graph
    names = {each.name: f"{CODE}{i}" for i, each in enumerate(graph.input)}
    names |= {each.name: f"{PLACE}{i}" for i, each in enumerate(graph.output)}
    del graph.value_info[:]  # shapes in between: onnxruntime's quantisation fails on those of this exporter
    del proto.metadata_props[:]
    for part in graphs_in(graph):
        for each in (*part.input, *part.output, *part.initializer):
            each.name = names.get(each.name, INSIDE + each.name)
        for node in part.node:
            for ends in (node.input, node.output):
                ends[:] = [names.get(name, INSIDE + name) if name else "" for name in ends]
            node.name, node.doc_string = INSIDE + node.name, ""
            del node.metadata_props[:]


def graphs_in(graph: Any) -> Iterator[Any]:
    """Give a graph, and those inside its nodes (bodies of loops), which see its names."""
    yield graph
    for node in graph.node:
        for setting in node.attribute:
            if setting.HasField("g"):
                yield from graphs_in(setting.g)


def _put_in_front(proto: Any, core: Core) -> None:
    """Let the graph begin with a user's columns: texts become codes, all else keeps its place under its own name.

    Pictures of any size are brought to the size of training, or continued to sides that a network takes.
    """
    inputs = core.signature.inputs
    helper, types = onnx_package("onnx.helper", PURPOSE), onnx_package("onnx", PURPOSE).TensorProto
    own, nodes = {}, []
    for i, each in enumerate(inputs):
        given = proto.graph.input[i]
        own[given.name] = each.name
        if each.kind == "categorical":
            given.CopyFrom(helper.make_tensor_value_info(each.name, types.STRING, list(each.shape)))
            nodes.append(_code_node(helper, each, f"{CODE}{i}"))
            del own[f"{CODE}{i}"]
        elif "H" in each.shape:
            nodes.extend(_picture_nodes(given, helper, each, f"{CODE}{i}", core))
            del own[f"{CODE}{i}"]
        else:
            given.name = each.name
            _name_axes(given, each.shape)
    for node in (node for part in graphs_in(proto.graph) for node in part.node):
        node.input[:] = [own.get(name, name) for name in node.input]
    for node in reversed(nodes):
        proto.graph.node.insert(0, node)
    if any(each.kind == "categorical" for each in inputs):
        proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))


def _picture_nodes(given: Any, helper: Any, each: Input, to: str, core: Core) -> list[Any]:
    """Let an input take pictures of any size; returns the nodes that make of them what the network takes."""
    given.name = each.name
    _name_axes(given, each.brought.shape)
    for axis, size in zip(given.type.tensor_type.shape.dim, each.shape, strict=True):
        if size in SIDES:
            axis.dim_param = size
    if each.size:
        return brought(helper, each, to, core.signature.resize)
    return continued(helper, each.name, to, core.sides)


def _code_node(helper: Any, each: Input, name: str) -> Any:
    """Return the node that gives the code of each text: 0 for all that training did not know, and for missing ones."""
    return helper.make_node(
        "LabelEncoder",
        [each.name],
        [name],
        name=f"{INSIDE}codes of {each.name}",
        domain="ai.onnx.ml",
        keys_strings=list(each.categories) or [""],
        values_int64s=list(range(1, len(each.categories) + 1)) or [0],
        default_int64=0,
    )


def _put_between(proto: Any, name: str, made: Callable[[str], list[Any]]) -> None:
    """Put nodes between an output and what gives it; they are made of the new name of that, and give the old one."""
    whole = f"{name}, at first"
    for node in proto.graph.node:
        for part in (node.input, node.output):
            part[:] = [whole if given == name else given for given in part]
    proto.graph.node.extend(made(whole))


def _name_axes(given: Any, shape: tuple[int | str, ...]) -> None:
    for axis, size in zip(given.type.tensor_type.shape.dim, shape, strict=True):
        if isinstance(size, str):
            if axis.HasField("dim_value"):
                raise RuntimeError(f"the axis {size} of {given.name} was frozen at {axis.dim_value}")
            axis.dim_param = size


def _put_behind(proto: Any, signature: Signature) -> Signature:
    """Let the graph end with labels, under the names of the signature; returns the signature with their types."""
    helper, types = onnx_package("onnx.helper", PURPOSE), onnx_package("onnx", PURPOSE).TensorProto
    own, made = {}, []
    for i, each in enumerate(signature.outputs):
        given = proto.graph.output[i]
        place = f"{PLACE}{i}"
        if "H" in each.shape:
            _put_between(proto, place, partial(cut_back, helper, to=place, shape=each.shape))
        if each.role == "boxes" and (pictures := signature.inputs[0]).size:
            _put_between(proto, place, partial(moved_back, helper, to=place, each=pictures, resize=signature.resize))
        if each.role == "label" and not signature.multilabel:
            kind = (
                types.STRING
                if signature.class_kind == "str"
                else helper.np_dtype_to_tensor_dtype(signature.labels.dtype)
            )
            classes = f"{INSIDE}classes"
            values = [str(label).encode() for label in signature.classes] if kind == types.STRING else signature.classes
            proto.graph.initializer.append(helper.make_tensor(classes, kind, [len(signature.classes)], list(values)))
            proto.graph.node.append(helper.make_node("Gather", [classes, f"{PLACE}{i}"], [each.name], axis=0))
            given.CopyFrom(helper.make_tensor_value_info(each.name, kind, list(each.shape)))
            made.append(each)
            continue
        own[given.name] = given.name = each.name
        own[f"{PLACE}{i}"] = each.name
        _name_axes(given, each.shape)
        dtype = helper.tensor_dtype_to_np_dtype(given.type.tensor_type.elem_type)
        made.append(replace(each, dtype=str(dtype)))
    for node in (node for part in graphs_in(proto.graph) for node in part.node):
        for ends in (node.input, node.output):
            ends[:] = [own.get(name, name) for name in ends]
    return replace(signature, outputs=tuple(made))
