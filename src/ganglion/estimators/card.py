"""The model card inside every model file: what the model is, what it was given, what it reached, what to mind.

After Mitchell et al. 2019, "Model cards for model reporting", arXiv:1810.03993.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganglion.data.grid import Grid
from ganglion.data.text_encoding import WHOLE


def model_card(manifest: Mapping[str, Any]) -> str:
    """Return the card of a model, in Markdown, from its manifest."""
    return "\n\n".join(
        part
        for part in (
            f"# {manifest['estimator']}" + (f" for {manifest['target_name']}" if manifest["target_name"] else ""),
            f"Trained with Ganglion {manifest['ganglion']} on {manifest['created'][:10]}.",
            "## Input\n\n" + _inputs(manifest["encoder"]),
            "## Output\n\n" + _output(manifest["target"]),
            "## Training\n\n" + _training(manifest["history"], manifest["options"]),
            _compression(manifest.get("compression") or ()),
            _metrics(manifest["metrics"]),
            _groups(manifest.get("audit") or {}),
            "## Limits\n\nThe figures hold for data like those it was tested on. "
            + ("" if manifest.get("audit") else "It was not checked for bias between groups of people. ")
            + "A value far outside the range of the training data gives an answer all the same.",
            'Load it with `ganglion.load("FILE")`, or use it from the command line: `ganglion '
            + (
                "sample FILE`."
                if manifest["target"]["kind"] in ("next_token", "next_chord", "itself")
                else "predict FILE DATA`."
            ),
        )
        if part
    )


def _inputs(encoder: Mapping[str, Any]) -> str:
    if encoder["modality"] == "image":
        channels, height, width = encoder["shape"]
        others = ", or of other sizes" if encoder["any_size"] else ""
        return f"Images of {height} × {width} pixels{others}, {channels} channel{'s' if channels > 1 else ''}."
    if encoder.get("encoder") == "words":
        known = encoder["vocabularies"]
        return (
            f"Texts of words ({encoder['column']}): {len(known[0]):,} words are known, of others their ends and shapes."
        )
    if encoder["modality"] == "text":
        tokenizer, columns = encoder["tokenizer"], ", ".join(encoder["columns"])
        cut = encoder["longest"] < WHOLE
        return (
            f"Texts ({columns}), cut by the tokenizer {tokenizer['tokenizer']} into {len(tokenizer['vocabulary']):,} "
            f"different tokens" + (f", of which {encoder['longest']:,} are read at most." if cut else ".")
        )
    if encoder["modality"] == "sequence":
        width = encoder["width"]
        return f"Sequences of any number of steps, each of {width} number{'s' if width > 1 else ''}."
    if encoder["modality"] == "music":
        step = f", in steps of a {encoder['step']} note" if encoder["step"] else ""
        return f"Pieces of music: which of a piano's 88 keys sound{step}."
    if encoder["modality"] == "series":
        return _series(encoder)
    if encoder["modality"] == "audio":
        return f"Recordings of sound; of any rate, brought to {encoder['rate']:,} samples a second."
    lines = []
    for field in encoder["fields"][:200]:
        block = f"{field['shape'][0]} numbers" if field["shape"] else field["kind"]
        labels = f": {', '.join(field['categories'][:12])}" + (", …" if len(field["categories"]) > 12 else "")
        lines.append(f"- {field['name']} ({block}{labels if field['categories'] else ''})")
    if len(encoder["fields"]) > 200:
        lines.append(f"- … {len(encoder['fields']) - 200} more")
    return "\n".join(lines)


def _output(target: Mapping[str, Any]) -> str:
    if target["kind"] == "numbers":
        return f"{target['n_targets']} number{'s' if target['n_targets'] > 1 else ''} a sample."
    if target["kind"] == "next_token":
        ends = ", or the end of the text" if target["documents"] else ""
        return f"How likely a text is, and new texts, token by token: one of {target['n_tokens']:,} tokens{ends}."
    if target["kind"] == "next_chord":
        return "How likely a piece is, and new ones, chord by chord."
    if target["kind"] == "forecast":
        told = {"points": "", "quantiles": ", as quantiles", "normals": ", as mean and deviation"}[target["told"]]
        return f"The next {target['horizon']:,} steps of {', '.join(target['names'][:20])}{told}."
    if target["kind"] == "transcripts":
        return f"What is said, as a text: a token at a time, one of {len(target['tokenizer']['vocabulary']):,}."
    if target["kind"] == "texts":
        return f"A text of at most {target['longest']:,} tokens, in answer to a text."
    if target["kind"] == "alarms":
        threshold = target["calibration"]["threshold"]
        return f"How strange each step is, told from the steps before it; a score above {threshold:.4g} is an alarm."
    if target["kind"] == "itself":
        return "The data again: codes of them, or new ones like them, as the algorithm has it."
    classes = ", ".join(str(label) for label in target["classes"][:50])
    if target["kind"] == "masks":
        return f"One of the classes for every pixel: {classes}."
    if target["kind"] == "tags":
        more = f", … ({len(target['classes'])} in all)" if len(target["classes"]) > 50 else ""
        return f"A label for every word or step: {classes}{more}."
    if target["kind"] == "boxes":
        return f"Boxes around objects of the classes {classes}."
    return f"{'Any of the labels' if target['multilabel'] else 'One of the classes'}: {classes}."


def _training(history: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in options.items() if name != "verbose")
    n = len(history["rows"])
    return f"{n} epoch{'' if n == 1 else 's'} ({history['stopped']}).\n\nOptions: {settings}."


def _compression(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return what was done to the network after it was trained, a line each."""
    lines = []
    for change in changes:
        settings = ", ".join(f"{name}={value}" for name, value in change.items() if name not in ("step", "packing"))
        lines.append(f"- {change['step']}" + (f" ({settings})" if settings else ""))
    return "## Compression\n\n" + "\n".join(lines) if lines else ""


def _metrics(metrics: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {figure['value']:.4g} | {figure['low']:.4g} to {figure['high']:.4g} |"
        for name, figure in metrics.items()
        if isinstance(figure, Mapping) and None not in (figure.get(part) for part in ("value", "low", "high"))
    ]
    if not rows:
        return ""
    return "## Held-out figures\n\n| figure | value | 95 % interval |\n|---|---|---|\n" + "\n".join(rows)


def _groups(audit: Mapping[str, Any]) -> str:
    """Return what an audit found: its verdicts, and the rates of each group that was judged."""
    parts = []
    for section in audit.get("sections", ())[:20]:
        shown = [group for group in section["groups"] if not group["too_small"]][:30]
        names = [name for name in _RATES if any(name in group["rates"] for group in shown)]
        head = f"| {section['by']} | rows | " + " | ".join(_RATES[name] for name in names) + " |"
        lines = [
            f"| {group['name']} | {group['n']:,} | "
            + " | ".join(_rate(group["rates"].get(name)) for name in names)
            + " |"
            for group in shown
        ]
        parts.append("\n".join([section["verdict"], "", head, "|---" * (2 + len(names)) + "|", *lines]))
    return "## Groups of people\n\n" + "\n\n".join(parts) if parts else ""


_RATES = {
    "selection_rate": "selected",
    "tpr": "TPR",
    "fpr": "FPR",
    "mean_error": "mean error",
    "mae": "mean absolute error",
}


def _rate(estimate: Mapping[str, Any] | None) -> str:
    value = (estimate or {}).get("value")
    return "–" if value is None else f"{value:.3g}"


def _series(encoder: Mapping[str, Any]) -> str:
    """Return which columns of a table are what of a series."""
    grid = Grid.from_json(encoder["grid"])
    roles = {"target": "forecast", "past": "known up to now", "known": "known ahead", "static": "of a whole series"}
    lines = [f"A table whose rows are steps ({grid}), of which {encoder['window']:,} are read at once.", ""]
    lines += [f"- time: {encoder['time']}"] if encoder["time"] else []
    lines += [f"- series: {encoder['series']}"] if encoder["series"] else []
    lines += [f"- {name}: {roles[role]}" for name, role, _ in encoder["columns"][:200]]
    return "\n".join(lines)
