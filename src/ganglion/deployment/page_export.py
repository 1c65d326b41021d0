"""`export(model, "model.html")`: one page with the model inside, which answers offline, on any device with a browser.

The network is the same graph that an ONNX file holds, compared with the original before the page appears; it runs on
onnxruntime-web, which the page carries. The form follows from the signature. What is entered never leaves the page: its
policy allows no connection at all.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ganglion.data.cells import BOOLEANS, MISSING
from ganglion.data.vocabulary import UNKNOWN
from ganglion.deployment.exported import Exported
from ganglion.deployment.onnx_export import onnx_bytes
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.signature import Signature
from ganglion.deployment.web_runtime import WebRuntime, find_web_runtime
from ganglion.errors import ExportRefused
from ganglion.storage import atomic_write
from ganglion.version import __version__

MOST_TEXT = 2**29 - 24  # characters that Chromium holds in one text
SCRIPTS = (
    *("network.js", "form.js", "entered.js", "files.js", "dates.js", "tokens.js", "pictures.js", "numbers.js"),
    *("recordings.js", "shown.js", "answers.js", "table.js", "words.js", "chart.js", "series.js", "forecasts.js"),
    "transcripts.js",
    "start.js",  # uses what the others define
)


def export_page(model: Any, path: str | os.PathLike[str], rows: Any = None) -> Exported:
    """Write a fitted model as one self-contained HTML page; see `export`.

    Parameters
    ----------
    model : Estimator
    path : path-like
    rows : X, optional
        Further rows to compare answers on, as the model's `predict` takes them.

    Raises
    ------
    ExportRefused
        If the model cannot leave, its graph would give other answers, or its task is none that a page shows.
    MissingExtra
        If onnxruntime-web, or a package of the extra "export", is not installed.
    """
    runtime = find_web_runtime()
    raw, parity = onnx_bytes(model, rows, tasks=SUBTITLES)
    exported = OnnxModel(raw)
    page = page_of(exported.signature, raw, exported.card, runtime).encode()
    with atomic_write(path) as file:
        file.write(page)
    return Exported(str(path), "html", len(page), parity)


def page_of(signature: Signature, raw: bytes, card: str, runtime: WebRuntime) -> str:
    """Return the page of a graph.

    Parameters
    ----------
    signature : Signature
    raw : bytes
        The content of the ONNX file.
    card : str
        Markdown.
    runtime : WebRuntime

    Raises
    ------
    ExportRefused
        If the graph is larger than a page can hold.
    """
    told = signature.target or ", ".join(signature.columns[: signature.series.get("targets", 0)])
    title = f"{told}: {signature.estimator}" if told else signature.estimator
    return _asset("page.html").format_map(
        {
            "title": html.escape(title),
            "subtitle": _subtitle(signature),
            "style": _asset("page.css"),
            "card": _card(card),
            "version": html.escape(__version__),
            "runtime": html.escape(runtime.version),
            "signature": _script_safe(_told(signature)),
            "model": _model(signature, raw),
            "wasm": _packed_once(runtime.wasm),
            "loader": _packed_once(runtime.loader),
            "library": runtime.library,
            "script": "".join(map(_asset, SCRIPTS)),
        }
    )


def _model(signature: Signature, raw: bytes) -> str:
    """Return a graph as text; raises ExportRefused where it would be longer than a browser holds."""
    packed = _packed(raw)
    if len(packed) > MOST_TEXT:
        raise ExportRefused(
            f"a {signature.estimator} of this size cannot be exported as a page: packed, it is a text of "
            f"{len(packed) / 1e6:,.0f} million characters, and browsers hold {MOST_TEXT / 1e6:,.0f} million. Export to "
            ".onnx and serve that (ganglion serve MODEL), or make it smaller first (ganglion compress)."
        )
    return packed


def _subtitle(signature: Signature) -> str:
    n = len(signature.classes)
    which = f"which of {n} labels apply to" if signature.multilabel else f"one of {n} classes of"
    places = "word" if signature.modality == "text" else "step"
    told = SUBTITLES[signature.task].format(n=n, which=which, places=places, what=_ARTICLES[signature.modality])
    return html.escape(f"{told}.")


SUBTITLES = {  # of the tasks that are shown
    "classification": "Tells {which} {what}",
    "regression": "Tells a number of {what}",
    "segmentation": "Tells one of {n} classes of every pixel of {what}",
    "tagging": "Tells one of {n} labels of every {places} of {what}",
    "detection": "Finds objects of {n} classes in {what}",
    "speech_recognition": "Writes down what is said in {what}",
    "forecasting": "Tells how {what} goes on",
    "reconstruction": "Tells whether {what} is an outlier, and codes it",
    "generation": "Codes {what}",
}
_ARTICLES = {
    "series": "a series",
    "table": "a row of a table",
    "image": "a picture",
    "text": "a text",
    "sequence": "a sequence of numbers",
    "audio": "a recording",
}


def _told(signature: Signature) -> str:
    """Return the signature, and how cells are read, as JSON."""
    told = json.loads(signature.to_json())
    told["missing"] = sorted(MISSING)
    told["flags"] = {"yes": 1, "no": 0, "1": 1, "0": 0} | {name.lower(): int(value) for name, value in BOOLEANS.items()}
    told["unknown"] = UNKNOWN
    return json.dumps(told, ensure_ascii=False, allow_nan=False)


def _card(markdown: str) -> str:
    """Return the card as HTML, without its first heading, which the page has, and with none in it that is HTML."""
    from markdown_it import MarkdownIt

    body = markdown.split("\n", 1)[1] if markdown.startswith("# ") else markdown
    plain = MarkdownIt("js-default", {"html": False}).disable(["emphasis", "strikethrough"])  # labels may hold * and _
    rendered = plain.render(body)
    return rendered.replace("<h2>", "<h3>").replace("</h2>", "</h3>").replace("<table>", '<table class="facts">')


def _asset(name: str) -> str:
    return files("ganglion.deployment").joinpath("page", name).read_text(encoding="utf-8")


@lru_cache(maxsize=2)
def _packed_once(raw: bytes) -> str:
    """Return what every page carries, packed; the runtime takes longer than most models."""
    return _packed(raw)


def _packed(raw: bytes) -> str:
    return base64.b64encode(gzip.compress(raw, 9, mtime=0)).decode()


def _script_safe(text: str) -> str:
    """Return JSON that no browser takes for the end of the script that it stands in."""
    return text.replace("<", "\\u003c")
