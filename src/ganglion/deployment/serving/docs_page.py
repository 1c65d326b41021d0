"""`/docs`: how to ask each model, with examples from its own columns. One page, nothing from elsewhere, no script."""

from __future__ import annotations

import html
import json
import shlex

import numpy as np

from ganglion.data.grid import Grid
from ganglion.deployment.serving.served import Served
from ganglion.deployment.serving.settings import Settings
from ganglion.deployment.serving.shelf import Shelf
from ganglion.deployment.serving.tensors import described
from ganglion.deployment.serving.wanted import FILES, allowed, example_row, example_rows
from ganglion.deployment.signature import ROWS, Input, Signature
from ganglion.drawing.gallery import document, scrollable

_STYLE = """
.gg-docs{--ink:#1b2430;--soft:#5b6675;--edge:#dfe4ea;--paper:#fff;--code:#eef1f5;max-width:960px;margin:0 auto;
padding:24px 20px 56px;color:var(--ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
box-sizing:border-box}
@media (prefers-color-scheme:dark){.gg-docs{--ink:#e6eaf0;--soft:#9aa6b5;--edge:#303947;--paper:#161b22;
--code:#0d1117}}
.gg-docs *{box-sizing:border-box}
.gg-docs h1{font-size:1.9rem;margin:0}.gg-docs h2{font-size:1.25rem;margin:0 0 4px;overflow-wrap:anywhere}
.gg-docs h3{font-size:1rem;margin:18px 0 6px}.gg-docs .soft{color:var(--soft);margin:4px 0 10px}
.gg-docs section{background:var(--paper);border:1px solid var(--edge);border-radius:12px;padding:20px;margin-top:18px}
.gg-docs pre{background:var(--code);border:1px solid var(--edge);border-radius:8px;padding:12px;margin:0;
font-size:.86rem;white-space:pre-wrap;overflow-wrap:anywhere}
.gg-docs table{border-collapse:collapse;width:100%;font-size:.9rem}
.gg-docs th,.gg-docs td{padding:6px 10px;border-bottom:1px solid var(--edge);text-align:left;vertical-align:top}
.gg-docs a{color:inherit}.gg-docs :focus-visible{outline:2px solid #0072b2;outline-offset:2px}
.gg-scroll{overflow-x:auto}
"""
_MOST = 60  # columns in a table
_HEAD = 20  # names in the first line of a file
_STEPS = 2  # of a history in an example
_ROW = {"image": "picture", "audio": "recording", "text": "text", "sequence": "sequence", "series": "history"}
_TOLD = {
    "segmentation": "The mask of each picture in its own pixels, row by row in runs of one label: numpy.repeat(labels, "
    "lengths).reshape(shape); and the share of each class. As a picture, a pixel is the label of its class.",
    "detection": "The objects of each picture, the surest first: label, score, and box (left, top, right, bottom) in "
    "the picture's own pixels.",
    "tagging": "A label each word of a text, or each step of a sequence, and the probability of that label.",
    "forecasting": "A row each step to come: its time, what is expected, and its quantiles (NAME_LEVEL).",
    "reconstruction": "1 for what is usual and -1 for an outlier, a score (below 0 it is one), and codes.",
    "anomaly_detection": "1 for a usual step and -1 for an odd one, and a score (below 0 it is one).",
    "generation": "What each row is coded in.",
}


def docs_page(shelf: Shelf, settings: Settings, base: str) -> str:
    """Return the page.

    Parameters
    ----------
    shelf : Shelf
    settings : Settings
    base : str
        How the server was asked, as "http://127.0.0.1:8000".
    """
    token = " Each request needs the header <code>Authorization: Bearer TOKEN</code>." if settings.token else ""
    sections = "".join(_section(shelf.find(name), shelf, base, bool(settings.token)) for name in shelf.names)
    content = (
        f"<style>{_STYLE}</style><main class='gg-docs'><h1>Models served here</h1>"
        f"<p class='soft'>Ganglion.{token} See also <a href='/health'>health</a>, <a href='/metrics'>metrics</a> "
        f"and the <a href='/openapi.json'>OpenAPI description</a>.</p>{sections}{_general(settings)}</main>"
    )
    return document("Models served here", content)


def _section(served: Served, shelf: Shelf, base: str, token: bool) -> str:
    signature = served.signature
    target = f" of {signature.target}" if signature.target else ""
    versions = ", ".join(shelf.versions(served.name))
    classes = f" Classes: {', '.join(map(str, signature.classes[:20]))}." if signature.classes else ""
    facts = f"{signature.estimator}: {signature.task}{target}. Version {versions}.{classes}"
    return (
        f"<section><h2>{html.escape(served.name)}</h2><p class='soft'>{html.escape(facts)}</p>"
        f"<h3>What it takes</h3>{_inputs(signature)}{_answers(signature)}{_examples(served, base, token)}</section>"
    )


def _inputs(signature: Signature) -> str:
    named = [(name, each) for each in signature.given for name in each.names]
    shown = [(html.escape(name), each.kind, html.escape(_allowed(each, signature))) for name, each in named[:_MOST]]
    rows = "".join(f"<tr><th scope='row'>{name}</th><td>{kind}</td><td>{text}</td></tr>" for name, kind, text in shown)
    more = len(named) - _MOST
    note = f"<p class='soft'>… and {more:,} more columns.</p>" if more > 0 else ""
    if signature.modality == "series":
        note += f"<p class='soft'>{html.escape(_history(signature))}</p>"
    table = f"<table><thead><tr><th>Name</th><th>Kind</th><th>Allowed</th></tr></thead><tbody>{rows}</tbody></table>"
    return scrollable(table, "Inputs") + note


def _allowed(each: Input, signature: Signature) -> str:
    cut = signature.task == "tagging" and each.kind == "text"
    return allowed(each) + (", which is cut at blanks, or a list of words" if cut else "")


def _history(signature: Signature) -> str:
    told = signature.series
    targets = ", ".join(signature.columns[: told["targets"]])
    ahead = " Rows behind the last target tell what is known ahead; their targets are empty." * any(
        each.kind == "ahead" for each in signature.inputs
    )
    return (
        f"A row is a step, {Grid.from_json(told['grid'])}: at least {signature.inputs[0].shape[1]:,} of each series, "
        f"up to the last value of {targets}.{ahead}"
    )


def _answers(signature: Signature) -> str:
    told = _TOLD.get(signature.task)
    return f"<h3>What it answers</h3><p class='soft'>{html.escape(told)}</p>" if told else ""


def _examples(served: Served, base: str, token: bool) -> str:
    signature, key = served.signature, " -H 'Authorization: Bearer TOKEN'" if token else ""
    address = f"curl{key} {base}/predict/{served.name}"
    asked = _body(served)
    shown = [(f"A {_ROW.get(signature.modality, 'row')}", f"{address} {asked}")]
    if signature.modality in FILES:
        shown.append(("Several", f"{address} -F file=@first -F file=@second"))
    elif signature.modality != "sequence":
        head = f"    # its first line: {','.join(signature.names)}" if len(signature.names) <= _HEAD else ""
        shown.insert(0 if signature.modality == "series" else 1, ("A CSV file", f"{address} -F file=@rows.csv{head}"))
    if signature.task == "segmentation":
        shown.append(("The mask as a picture", f"{address} {asked} -H 'Accept: image/png' -o mask.png"))
    if signature.task in ROWS:
        shown.append(("Why", f"curl{key} {base}/explain/{served.name} {asked}"))
    shown.append(("Open Inference Protocol", _protocol(served, base, key)))
    return "".join(f"<h3>{title}</h3><pre>{html.escape(text)}</pre>" for title, text in shown)


def _body(served: Served) -> str:
    """Return the options of curl that send a row."""
    signature = served.signature
    files = {"image": ("image/png", "picture.png"), "audio": ("audio/wav", "recording.wav")}
    if signature.modality in files:
        kind, file = files[signature.modality]
        return f"-H 'Content-Type: {kind}' --data-binary @{file}"
    if signature.modality == "sequence":
        return _sent(json.dumps(example_rows(signature, {})))
    if signature.task == "tagging":
        return _sent(json.dumps([["some", "words"]]))
    if signature.modality == "series":
        rows = example_rows(signature, _middles(served))
        return _sent(f"[{', '.join(map(json.dumps, rows[:_STEPS]))}, …]")
    row = dict(list(example_row(signature, _middles(served)).items())[:_MOST])
    return _sent(json.dumps(row, ensure_ascii=False))


def _sent(text: str) -> str:
    return f"-H 'Content-Type: application/json' \\\n  -d {shlex.quote(text)}"


def _middles(served: Served) -> dict[str, float]:
    return dict(served.backend.summary.middles) if served.backend.summary else {}


def _protocol(served: Served, base: str, key: str) -> str:
    inputs, _ = described(served.signature)
    address = f"{base}/v2/models/{served.name}"
    signature, asked = served.signature, f"curl{key} {address}/infer"
    if signature.modality == "sequence":
        steps = np.array(example_rows(signature, {})).reshape(1, -1, int(signature.inputs[0].shape[2]))
        whole = {**inputs[0], "shape": list(steps.shape), "data": steps.ravel().tolist()}
        return f"{asked} -d {shlex.quote(json.dumps({'inputs': [whole]}))}"
    if signature.modality not in ("table", "text"):
        return f"curl{key} {address}    # what the tensors are\n{asked} -d @tensors.json"
    row = example_row(signature, _middles(served))
    tensors = []
    for tensor, each in list(zip(inputs, signature.given, strict=True))[:3]:
        shape = [1 if size == -1 else size for size in tensor["shape"]]
        tensors.append(json.dumps({**tensor, "shape": shape, "data": [row[name] for name in each.names[:_MOST]]}))
    body = f'{{"inputs": [{", ".join(tensors)}{", …" if len(inputs) > 3 else ""}]}}'
    return f"{asked} -d {shlex.quote(body)}"


def _general(settings: Settings) -> str:
    limits = settings.limits
    return (
        "<section><h2>Limits</h2><p class='soft'>"
        f"A request has at most {limits.rows:,} rows and {limits.body_bytes // 2**20:,} MB; a picture "
        f"{limits.pixels:,} pixels ({limits.own_pixels:,} where it is answered in its own size), a text "
        f"{limits.letters:,} letters, a sequence {limits.steps:,} steps. Answers come within {limits.answer_s:g} "
        "seconds, or 504. Where too many wait it is 503 with Retry-After. What will not do is 422, and names the "
        "column, what came and what is allowed.</p>"
        "</section>"
    )
