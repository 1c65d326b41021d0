"""What somebody with a keyboard alone does on a page of each kind, and whether the page answers as Python does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.browser import Tab
from benchmarks.claims import Skipped
from benchmarks.claims._works import Work
from ganglion.deployment.rows import is_missing

STOPS = 60  # of the Tab key, until a page has been walked through
FINDINGS = "return (await axe.run()).violations.map((each) => [each.impact, each.id, each.nodes[0].html])"
_FOCUS = """
    const at = document.activeElement;
    if (at === document.body) return null;
    const style = getComputedStyle(at), frame = at.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const inside = frame.bottom > 0 && frame.top < innerHeight && frame.right > 0 && frame.left < innerWidth;
    const choices = [...(at.options ?? [])].map((each) => each.value);
    return { id: at.id, tag: at.tagName, choices, seen: outlined && inside };
"""
_ANSWER = """
    const told = () => document.querySelector('#answer > :not(.soft)');
    while (!told() && !document.querySelector('.error')) await new Promise((go) => setTimeout(go, 10));
    const label = document.querySelector('#answer .label')?.textContent;
    return { label, text: document.getElementById('answer').textContent };
"""
_DRAWN = """
    const { width, height } = document.querySelector('canvas');
    const { data } = document.querySelector('canvas').getContext('2d').getImageData(0, 0, width, height);
    return [height, width, ...data];
"""
_CELLS = "return [...document.querySelectorAll('#answer tbody tr')].map((row) => row.cells[1].textContent)"
_TAGS = "return [...document.querySelectorAll('.words .tag')].map((each) => each.textContent)"


def walk(tab: Tab, unseen: list[str], wanted: str) -> dict[str, Any]:
    """Press Tab until the element of an id has the focus, and note where it could not be seen on the way."""
    for _ in range(STOPS):
        tab.press("Tab")
        at = tab.run(_FOCUS)
        if at and not at["seen"]:
            unseen.append(at["id"] or at["tag"])
        if at and at["id"] == wanted:
            return at
    raise Skipped(f"the Tab key does not reach {wanted!r}")


def asked(tab: Tab, unseen: list[str]) -> dict[str, Any]:
    """Walk to the button, press it, and return what is told."""
    walk(tab, unseen, "submit")
    tab.press("Space")
    return tab.run(_ANSWER)


def with_an_error(tab: Tab, unseen: list[str]) -> list[list[str]]:
    """Give a number that is none: what axe-core says then, and whether the error has the focus."""
    ids = tab.run("return [...document.querySelectorAll('#fields input[inputmode=decimal]')].map((each) => each.id)")
    tab.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    walk(tab, unseen, ids[0])
    tab.press(*"old")
    tab.press("Enter")
    tab.run("while (!document.querySelector('.error')) await new Promise((go) => setTimeout(go, 10))")
    if tab.run("return document.activeElement.id") != ids[0]:
        unseen.append("the field with an error")
    return tab.run(FINDINGS)


def _filled(tab: Tab, work: Work, unseen: list[str]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Fill in the first row of a table, and ask."""
    row = {field.name: work.X.values(field.name)[0] for field in work.X.features}
    for i, value in enumerate(row.values()):
        at, given = walk(tab, unseen, f"field-{i}"), "" if is_missing(value) else str(value)
        tab.press(*(["ArrowDown"] * at["choices"].index(given) if at["tag"] == "SELECT" else given))
    return asked(tab, unseen), {name: [value] for name, value in row.items()}


def _use_table(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    told, row = _filled(tab, work, unseen)
    return _same(told, model, row)


def _use_outliers(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    told, row = _filled(tab, work, unseen)
    return told["label"] == ("an outlier" if model.predict(row)[0] < 0 else "usual")


def _drawing(tab: Tab, model: Any, unseen: list[str]) -> tuple[dict[str, Any], np.ndarray]:
    """Draw a seven with the arrow keys, and ask; return what is told, and the picture."""
    walk(tab, unseen, "field-0")
    tab.press(*["ArrowUp"] * 8, *["ArrowLeft"] * 6)
    tab.hold("Space")
    tab.press(*["ArrowRight"] * 10)
    tab.press(*["ArrowDown", "ArrowDown", "ArrowLeft"] * 5)
    tab.release("Space")
    told = asked(tab, unseen)
    height, width, *pixels = tab.run(_DRAWN)
    n_channels = model.encoder_.shape[0]
    drawn = np.array(pixels, dtype=np.uint8).reshape(1, height, width, 4)[..., :n_channels]
    return told, drawn[..., 0] if n_channels == 1 else drawn


def _use_image(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    told, drawn = _drawing(tab, model, unseen)
    return bool(drawn.any()) and _same(told, model, drawn)


def _use_masks(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    told, drawn = _drawing(tab, model, unseen)
    labels = model.predict(drawn)
    shares = [(label, (labels == label).mean()) for label in model.classes_.tolist()]
    at = walk(tab, unseen, "seen")
    tab.press("ArrowDown")
    alone = tab.run("return document.activeElement.value")
    return all(f"{label}{100 * share:.1f} %" in told["text"] for label, share in shares if share) and (
        alone == at["choices"][1]
    )


def _use_boxes(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    """Ask about a drawing, and how many objects there are for who is content with less."""
    told, drawn = _drawing(tab, model, unseen)
    scores = model.predict(drawn)[0].scores
    if not len(scores):
        return told["label"] == "nothing found"
    at_least = tab.run("return document.getElementById('surely').value / 100")
    walk(tab, unseen, "surely")
    tab.press(*["ArrowLeft"] * 3)
    after = tab.run(
        "return [document.getElementById('surely').value / 100, document.querySelector('.label').textContent]"
    )
    counts = [(told["label"], at_least), (after[1], after[0])]
    return after[0] == max(0, round(at_least - 0.03, 2)) and all(
        label.startswith(f"{(scores >= least).sum() or 'nothing'} found") for label, least in counts
    )


def _use_codes(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    told, drawn = _drawing(tab, model, unseen)
    code = [float(each) for each in told["text"].split("Its code: ")[1].split("Answered")[0].split(",")]
    return bool(np.allclose(code, model.transform(drawn)[0], rtol=1e-3, atol=1e-3))


def _use_text(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    walk(tab, unseen, "field-0")
    tab.press(*work.X[0])
    return _same(asked(tab, unseen), model, [work.X[0]])


def _use_words(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    words = work.X.values(work.X.features[0].name)[0]
    walk(tab, unseen, "field-0")
    tab.press(*" ".join(words))
    asked(tab, unseen)
    return tab.run(_TAGS) == [str(label) for label in model.predict([words])[0]]


def _use_sequence(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    steps = np.asarray(work.X[0], dtype=np.float64)
    walk(tab, unseen, "field-0")
    for step in steps.reshape(len(steps), -1):
        tab.press(*" ".join(f"{value:g}" for value in step), "Enter")
    return _same(asked(tab, unseen), model, [steps])


def _use_series(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    steps = np.round(work.X[: model.encoder_.window], 2)
    walk(tab, unseen, "field-0")
    for step in steps.tolist():
        tab.press(*f"{step:g}", "Enter")
    asked(tab, unseen)
    told = [float(each) for each in tab.run(_CELLS)]
    return bool(np.allclose(told, model.predict(steps), rtol=1e-4))


USES: dict[str, Callable[[Tab, Any, Work, list[str]], bool]] = {
    "table": _use_table,
    "image": _use_image,
    "text": _use_text,
    "sequence": _use_sequence,
    "words": _use_words,
    "series": _use_series,
    "masks": _use_masks,
    "boxes": _use_boxes,
    "outliers": _use_outliers,
    "codes": _use_codes,
}


def _same(told: dict[str, Any], model: Any, X: Any) -> bool:
    """Whether a page told the label that Python gives."""
    named, label = getattr(model, "target_name_", ""), model.predict(X)[0]
    shown = f"{label:g}" if isinstance(label, float) else str(label)
    return told.get("label") == f"{named}: {shown}".removeprefix(": ")
