"""`/docs`: how to ask each model, with examples from its own columns. One page, nothing from elsewhere, no script."""

from __future__ import annotations

import html
import json
import shlex

from ganglion.deployment.serving.interface import Input, Interface
from ganglion.deployment.serving.served import Served
from ganglion.deployment.serving.settings import Settings
from ganglion.deployment.serving.shelf import Shelf
from ganglion.deployment.serving.tensors import described
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
    interface = served.interface
    target = f" of {interface.target}" if interface.target else ""
    versions = ", ".join(shelf.versions(served.name))
    classes = f" Classes: {', '.join(map(str, interface.classes[:20]))}." if interface.classes else ""
    facts = f"{interface.estimator}: {interface.task}{target}. Version {versions}.{classes}"
    return (
        f"<section><h2>{html.escape(served.name)}</h2><p class='soft'>{html.escape(facts)}</p>"
        f"<h3>What it takes</h3>{_inputs(interface)}{_examples(served, base, token)}</section>"
    )


def _inputs(interface: Interface) -> str:
    shown = [(name, each) for each in interface.inputs for name in each.columns][:_MOST]
    rows = "".join(
        f"<tr><th scope='row'>{html.escape(name)}</th><td>{each.kind}</td><td>{html.escape(_allowed(each))}</td></tr>"
        for name, each in shown
    )
    more = len(interface.columns) - len(shown)
    note = f"<p class='soft'>… and {more:,} more columns.</p>" if more > 0 else ""
    table = f"<table><thead><tr><th>Name</th><th>Kind</th><th>Allowed</th></tr></thead><tbody>{rows}</tbody></table>"
    return scrollable(table, "Inputs") + note


def _allowed(each: Input) -> str:
    if each.kind == "image":
        channels, height, width = each.shape
        return f"a picture of any size; it is brought to {height} × {width} pixels, {channels} channel(s)"
    if each.kind == "audio":
        return f"a recording; it is brought to {each.rate:,} samples a second"
    return each.allowed


def _examples(served: Served, base: str, token: bool) -> str:
    interface, name = served.interface, served.name
    key = " -H 'Authorization: Bearer TOKEN'" if token else ""
    files = {"image": ("image/png", "picture.png"), "audio": ("audio/wav", "recording.wav")}
    if interface.modality in files:
        kind, file = files[interface.modality]
        asked = f"-H 'Content-Type: {kind}' --data-binary @{file}"
        several = f"curl{key} {base}/predict/{name} -F file=@first -F file=@second"
        shown = [("One file", f"curl{key} {base}/predict/{name} {asked}"), ("Several", several)]
    else:
        row = shlex.quote(json.dumps(dict(list(interface.example_row().items())[:_MOST]), ensure_ascii=False))
        asked = f"-H 'Content-Type: application/json' \\\n  -d {row}"
        shown = [
            ("A row", f"curl{key} {base}/predict/{name} {asked}"),
            ("A CSV file", f"curl{key} {base}/predict/{name} -F file=@rows.csv"),
        ]
    shown += [
        ("Why", f"curl{key} {base}/explain/{name} {asked}"),
        ("Open Inference Protocol", _protocol(served, base, key)),
    ]
    return "".join(f"<h3>{title}</h3><pre>{html.escape(text)}</pre>" for title, text in shown)


def _protocol(served: Served, base: str, key: str) -> str:
    inputs, _ = described(served.interface)
    address = f"{base}/v2/models/{served.name}"
    if served.interface.modality not in ("table", "text"):
        return f"curl{key} {address}    # what the tensors are\ncurl{key} {address}/infer -d @tensors.json"
    row = served.interface.example_row()
    tensors = []
    for tensor, each in list(zip(inputs, served.interface.inputs, strict=True))[:3]:
        shape = [1 if size == -1 else size for size in tensor["shape"]]
        tensors.append({**tensor, "shape": shape, "data": [row[name] for name in each.columns[:_MOST]]})
    more = ", …" if len(inputs) > 3 else ""
    return f"curl{key} {address}/infer -d '{{\"inputs\": [{', '.join(map(json.dumps, tensors))}{more}]}}'"


def _general(settings: Settings) -> str:
    limits = settings.limits
    return (
        "<section><h2>Limits</h2><p class='soft'>"
        f"A request has at most {limits.rows:,} rows and {limits.body_bytes // 2**20:,} MB; a picture "
        f"{limits.pixels:,} pixels. Answers come within {limits.answer_s:g} seconds, or 504. Where too many wait it is "
        "503 with Retry-After. What will not do is 422, and names the column, what came and what is allowed.</p>"
        "</section>"
    )
