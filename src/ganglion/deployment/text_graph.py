"""Texts as they are in front of a graph that takes ids of tokens: text → small letters → tokens → ids, and how many.

The operators are those of every onnxruntime. Its regular expressions know another Unicode than Python, so what a letter
or a blank is stands in them code point by code point. Where a text has no token the graph fails, in the node `EMPTY`:
there is no answer to nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ganglion.data.tokenizers import CharacterTokenizer, Tokenizer, WordTokenizer, word_pattern
from ganglion.data.vocabulary import BETWEEN, PADDING, SPECIAL, UNKNOWN
from ganglion.deployment.graph import INSIDE, OPSET
from ganglion.deployment.packages import onnx_package
from ganglion.deployment.signature import Input, Signature
from ganglion.deployment.string_nodes import DOMAINS, FINAL, PURPOSE, WITHIN, TextNodes, every_letter
from ganglion.errors import ExportRefused

EMPTY = f"{INSIDE}a text without a token was given"
EDGES = (
    "UPPER Case ÀÉÎÕÜ ẞß ŁÓDŹ İstanbul ǅ",
    "don't rock’n’roll 'quoted' well-known",
    "ΟΔΥΣΣΕΥΣ ΑΣ. ΑΣ.Α Σ 'Σ ΑΣ'Α Α\u0301Σ\u0301 ΣΑΣ́",
    "naïve cafe\u0301 Z\u0351a\u0489",
    "😀👩‍👩‍👧 🇩🇪 ☃️ ½ ² ⅷ ٣",
    "a  b\t\tc\n\nd\r\ne\u00a0f\u2003g\u2028h\x1ci\x85j",
    "日本語 中文 한국어 ไทย हिन्दी نمی\u200cخواهم",
    "<pad> <unk> <bos> <eos> ##a",
    "a\x00b \x07 \ufeff \ufffd \U0010ffff \ue000",
    " leading and trailing ",
    "_under_score_ 3.14 1,000 a_b",
    "-",
    "x" * 300,
)
TEXTS = f"{INSIDE}texts"  # what the names of all nodes here begin with
IR = 10  # the version of the file format that goes with `OPSET`
_WITHOUT = "Export it without strings=True (--strings)"
_FILLING = SPECIAL[PADDING]  # no text can spell it: every tokenizer cuts "<" from letters
_LAST = 2**31 - 1


def with_texts(proto: Any, signature: Signature) -> Signature:
    """Let a graph that takes ids of tokens begin with texts, in place; returns its new signature.

    Parameters
    ----------
    proto : onnx.ModelProto
    signature : Signature
        Of the graph of ids.
    """
    ids, lengths = (each.name for each in signature.inputs)
    nodes = TextNodes(TEXTS)
    inputs = tuple(Input(name, "text", "string", ("N",)) for name in signature.columns)
    taken = {ids: f"{INSIDE}ids", lengths: f"{INSIDE}ids/lengths"}
    for node in proto.graph.node:
        node.input[:] = [taken.get(name, name) for name in node.input]
    _cut(nodes, signature, taken[ids], taken[lengths])
    for node in reversed(nodes.made):
        proto.graph.node.insert(0, node)
    del proto.graph.input[:]
    info = nodes.helper.make_tensor_value_info
    proto.graph.input.extend(info(each.name, nodes.text, list(each.shape)) for each in inputs)
    known = {each.domain for each in proto.opset_import}
    for domain, version in DOMAINS:
        if domain not in known:
            proto.opset_import.append(nodes.helper.make_opsetid(domain, version))
    return replace(signature, inputs=inputs)


def _cut(nodes: TextNodes, signature: Signature, ids: str, lengths: str) -> None:
    """Add the nodes between columns of texts and ids and lengths."""
    tokenizer = signature.cutter
    texts, *more = signature.columns
    for name in more:
        texts = nodes("StringConcat", nodes("StringConcat", texts, nodes.constant(BETWEEN)), name)
    if tokenizer.lowercase:
        letters = set().union(*tokenizer.vocabulary)
        texts = nodes.lowered(texts, sigma=WITHIN in letters or FINAL in letters)
    tokens = _CUTS[type(tokenizer)](nodes, texts)
    known = {token: i for i, token in enumerate(tokenizer.vocabulary) if i >= len(SPECIAL)} | {_FILLING: PADDING}
    first, longest, axis = (nodes.constant([each]) for each in (0, signature.longest or _LAST, 1))
    nodes("Slice", nodes.numbers(tokens, known, UNKNOWN), first, longest, axis, called=ids)
    there = nodes("Cast", nodes("Greater", ids, nodes.constant(PADDING)), to=nodes.number)
    counts = nodes("ReduceSum", there, nodes.constant([1]), keepdims=0)
    # of a list of one number the first is taken; the second, where there is an empty text, does not exist
    is_empty = nodes("Cast", nodes("Equal", counts, nodes.constant(0)), to=nodes.number)
    nodes("Add", counts, nodes("Gather", nodes.constant([0]), is_empty, called=EMPTY), called=lengths)


def _letters(nodes: TextNodes, texts: str) -> str:
    return nodes.letters(texts, _FILLING)


def _words(nodes: TextNodes, texts: str) -> str:
    return nodes.found(texts, word_pattern(_points(r"\w"), _points(r"\s")), _FILLING)


_CUTS: dict[type[Tokenizer], Callable[[TextNodes, str], str]] = {CharacterTokenizer: _letters, WordTokenizer: _words}


@functools.cache
def _points(pattern: str) -> str:
    """Return what a regular expression of Python stands for, as ranges of code points for another library."""
    runs = re.finditer(f"{pattern}+", every_letter())
    return "".join(rf"\x{{{ord(run[0][0]):x}}}-\x{{{ord(run[0][-1]):x}}}" for run in runs)


def check_texts(signature: Signature) -> None:
    """Raise ExportRefused unless a graph can begin with the texts of a model, and cuts them as its tokenizer does.

    Parameters
    ----------
    signature : Signature
        Of the graph that takes ids of tokens.
    """
    name = signature.tokenizer.get("tokenizer", "")
    if signature.inputs[0].kind != "tokens":
        what = "lists of words" if signature.inputs[0].kind == "words" else f"{signature.modality} data"
        raise ExportRefused(f"{signature.estimator} reads {what}, no texts that could be cut in the graph. {_WITHOUT}")
    tokenizer = signature.cutter
    if type(tokenizer) not in _CUTS:
        known = " or ".join(f"tokenizer={each.name!r}" for each in _CUTS)
        raise ExportRefused(
            f"the texts of {signature.estimator} are cut by {name}, which operators of ONNX do not do in the same way. "
            f"{_WITHOUT}: OnnxModel and `ganglion predict` cut texts themselves. Or train it with {known}."
        )
    text = first_cut_otherwise(signature, EDGES)
    if text is not None:
        raise ExportRefused(
            f"{signature.estimator} was not exported: the graph would cut {text!r:.60} into other tokens than its "
            f"tokenizer, {name}. {_WITHOUT}: OnnxModel and `ganglion predict` cut texts themselves."
        )


def first_cut_otherwise(signature: Signature, texts: Sequence[str]) -> str | None:
    """Return the first of some texts that operators cut into other ids than the tokenizer; None if there is none.

    Parameters
    ----------
    signature : Signature
        Of the graph that takes ids of tokens.
    texts : sequence of str
        Each with a token at least.
    """
    alone = replace(signature, columns=signature.columns[:1])
    session = onnx_package("onnxruntime", PURPOSE).InferenceSession(_cut_alone(alone).SerializeToString())
    ids, lengths = session.run(None, {alone.columns[0]: np.array(texts, dtype=object)})
    own, own_lengths = signature.cutter.ids(texts)
    for text, row, n, wanted in zip(texts, ids, lengths, np.split(own, np.cumsum(own_lengths)[:-1]), strict=True):
        if row[:n].tolist() != wanted[: signature.longest or None].tolist():
            return text
    return None


def _cut_alone(signature: Signature) -> Any:
    """Return the ONNX model that cuts texts, and does no more."""
    nodes = TextNodes(TEXTS)
    _cut(nodes, signature, "ids", "lengths")
    info, helper = nodes.helper.make_tensor_value_info, nodes.helper
    outputs = [info("ids", nodes.number, ["N", "T"]), info("lengths", nodes.number, ["N"])]
    graph = helper.make_graph(
        nodes.made, "texts", [info(name, nodes.text, ["N"]) for name in signature.columns], outputs
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in (("", OPSET), *DOMAINS)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR)
