"""Exported pages can be used by everyone: looked over by axe-core, and used with the keyboard alone, in Chromium.

`python -m benchmarks.claims.page_access FOLDER` also keeps a picture of every page in every setting, to be looked at.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.browser import Browser, Tab, find_chromium, find_package
from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims.export_parity import Work, trained, works
from ganglion.deployment.export import export
from ganglion.deployment.rows import is_missing
from ganglion.deployment.web_runtime import find_web_runtime
from ganglion.errors import InvalidFile, MissingExtra

WIDTHS = (1280, 390)  # of a desktop and of a phone, in pixels
STOPS = 60  # of the Tab key, until a page has been walked through
PAGES = {
    "table": "MLPClassifier",
    "image": "CNNClassifier",
    "text": "TextCNN",
    "sequence": "RNNClassifier",
}
_FOCUS = """
    const at = document.activeElement;
    if (at === document.body) return null;
    const style = getComputedStyle(at), frame = at.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    const inside = frame.bottom > 0 && frame.top < innerHeight && frame.right > 0 && frame.left < innerWidth;
    const choices = [...(at.options ?? [])].map((each) => each.value);
    return { id: at.id, tag: at.tagName, choices, seen: outlined && inside };
"""
_READY = "await ganglion.session; await new Promise((go) => setTimeout(go)); return document.title"
_ANSWER = """
    const told = () => document.querySelector('#answer .label');
    while (!told() && !document.querySelector('.error')) await new Promise((go) => setTimeout(go, 10));
    return { label: told()?.textContent, error: document.querySelector('.error')?.textContent };
"""
_DRAWN = "return [...document.querySelector('canvas').getContext('2d').getImageData(0, 0, {0}, {1}).data]"


class Seen(NamedTuple):
    """What was found of one page in one setting."""

    page: str
    width: int
    dark: bool
    findings: list[str]  # of axe-core, that are serious or critical
    minor: list[str]  # what else it found
    unseen: list[str]  # where the focus was, and could not be seen
    answered: bool  # by keys alone, and as Python does
    sideways: bool  # whether the page is wider than the window
    foreign: list[str]  # addresses asked for outside the page
    errors: list[str]


def claim() -> Claim:
    """Look at a page of each kind of data, in two widths, light and dark."""
    seen = list(look())
    figures = {
        "serious or critical findings of axe-core": sum(len(each.findings) for each in seen),
        "places of the focus that cannot be seen": sum(len(each.unseen) for each in seen),
        "answers by keyboard that are missing or not Python's": sum(not each.answered for each in seen),
        "pages wider than their window": sum(each.sideways for each in seen),
        "requests that leave the page": sum(len(each.foreign) for each in seen),
        "errors and warnings of the console": sum(len(each.errors) for each in seen),
    }
    return Claim(
        name="page_access",
        data=f"Pages of {', '.join(f'{name} ({algorithm})' for name, algorithm in PAGES.items())}, "
        f"{' and '.join(map(str, WIDTHS))} pixels wide, light and dark: {len(seen)} settings.",
        settings="Small models of real data, exported and opened from their file in Chromium. The form is filled by "
        "key events alone (Tab, Space, arrows, letters), asked, and the answer compared; axe-core looks at the page "
        "with its answer, and of a table with an error too.",
        reference="WCAG 2, as axe-core reads it",
        figures=[Figure(name, n, n, n, target=0, lower_is_better=True) for name, n in figures.items()],
        details={"settings": [each._asdict() for each in seen]},
    )


def look(pictures: Path | None = None) -> Iterator[Seen]:
    """Give what was found of each page in each setting, and keep pictures of them in a folder, if there is one."""
    axe = find_package("axe-core", "GANGLION_AXE_CORE")
    if find_chromium() is None or axe is None:
        lacking = "Chromium" if axe else "axe-core (npm install axe-core, or set GANGLION_AXE_CORE to its folder)"
        raise Skipped(f"{lacking} is not here: no page was opened")
    try:
        find_web_runtime()
        given = works(PAGES)
    except (InvalidFile, MissingExtra) as error:
        raise Skipped(str(error)) from error
    rules = (axe / "axe.min.js").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        for kind, algorithm in PAGES.items():
            model, page = trained(algorithm, given[kind]), Path(folder) / f"{kind}.html"
            export(model, page)
            tab = browser.open(page)
            for width in WIDTHS:
                for dark in (False, True):
                    tab.show(width=width, dark=dark)
                    tab.load(page)
                    yield _seen(tab, rules, kind, model, given[kind], (width, dark))
                    if pictures:
                        name = f"{kind}-{width}-{'dark' if dark else 'light'}.png"
                        (pictures / name).write_bytes(tab.picture())
            tab.close()


def _seen(tab: Tab, rules: str, kind: str, model: Any, work: Work, setting: tuple[int, bool]) -> Seen:
    tab.run(_READY)
    unseen: list[str] = []
    told = _USES[kind](tab, model, work, unseen)
    tab.run(f"{rules}; return 0")
    found = tab.run("return (await axe.run()).violations.map((each) => [each.impact, each.id, each.nodes[0].html])")
    if kind == "table":
        found += _with_an_error(tab, unseen)
    serious = [f"{name}: {where}" for impact, name, where in found if impact in ("serious", "critical")]
    return Seen(
        kind,
        *setting,
        findings=serious,
        minor=[f"{impact} {name}" for impact, name, _ in found if impact not in ("serious", "critical")],
        unseen=unseen,
        answered=told,
        sideways=tab.run("return document.documentElement.scrollWidth > innerWidth"),
        foreign=[each for each in tab.requests if not each.startswith(("file:", "blob:", "data:"))],
        errors=list(tab.errors),
    )


def _walk(tab: Tab, unseen: list[str], wanted: str) -> dict[str, Any]:
    """Press Tab until the element of an id has the focus, and note where it could not be seen on the way."""
    for _ in range(STOPS):
        tab.press("Tab")
        at = tab.run(_FOCUS)
        if at and not at["seen"]:
            unseen.append(at["id"] or at["tag"])
        if at and at["id"] == wanted:
            return at
    raise Skipped(f"the Tab key does not reach {wanted!r}")


def _asked(tab: Tab, unseen: list[str]) -> dict[str, Any]:
    _walk(tab, unseen, "submit")
    tab.press("Space")
    return tab.run(_ANSWER)


def _use_table(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    row = {name: values[0] for name, values in _columns(work).items()}
    for i, value in enumerate(row.values()):
        at, given = _walk(tab, unseen, f"field-{i}"), "" if is_missing(value) else str(value)
        tab.press(*(["ArrowDown"] * at["choices"].index(given) if at["tag"] == "SELECT" else given))
    return _same(_asked(tab, unseen), model, {name: [value] for name, value in row.items()})


def _with_an_error(tab: Tab, unseen: list[str]) -> list[list[str]]:
    """Give a number that is none: what axe-core says then, and whether the error has the focus."""
    ids = tab.run("return [...document.querySelectorAll('#fields input[inputmode=decimal]')].map((each) => each.id)")
    tab.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    _walk(tab, unseen, ids[0])
    tab.press(*"old")
    tab.press("Enter")
    tab.run("while (!document.querySelector('.error')) await new Promise((go) => setTimeout(go, 10))")
    if tab.run("return document.activeElement.id") != ids[0]:
        unseen.append("the field with an error")
    return tab.run("return (await axe.run()).violations.map((each) => [each.impact, each.id, each.nodes[0].html])")


def _use_image(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    """Draw a seven with the arrow keys."""
    _walk(tab, unseen, "field-0")
    tab.press(*["ArrowUp"] * 8, *["ArrowLeft"] * 6)
    tab.hold("Space")
    tab.press(*["ArrowRight"] * 10)
    tab.press(*["ArrowDown", "ArrowDown", "ArrowLeft"] * 5)
    tab.release("Space")
    told = _asked(tab, unseen)
    height, width = work.X.shape[1:3]
    drawn = np.array(tab.run(_DRAWN.format(width, height)), dtype=np.uint8).reshape(1, height, width, 4)[..., 0]
    return bool(drawn.any()) and _same(told, model, drawn)


def _use_text(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    _walk(tab, unseen, "field-0")
    tab.press(*work.X[0])
    return _same(_asked(tab, unseen), model, [work.X[0]])


def _use_sequence(tab: Tab, model: Any, work: Work, unseen: list[str]) -> bool:
    steps = np.asarray(work.X[0], dtype=np.float64)
    _walk(tab, unseen, "field-0")
    for step in steps.reshape(len(steps), -1):
        tab.press(*" ".join(f"{value:g}" for value in step), "Enter")
    return _same(_asked(tab, unseen), model, [steps])


_USES: dict[str, Callable[[Tab, Any, Work, list[str]], bool]] = {
    "table": _use_table,
    "image": _use_image,
    "text": _use_text,
    "sequence": _use_sequence,
}


def _same(told: dict[str, Any], model: Any, X: Any) -> bool:
    """Whether a page told the label that Python gives."""
    named, label = getattr(model, "target_name_", ""), model.predict(X)[0]
    shown = f"{label:g}" if isinstance(label, float) else str(label)
    return told.get("label") == f"{named}: {shown}".removeprefix(": ")


def _columns(work: Work) -> dict[str, list[Any]]:
    return {field.name: work.X.values(field.name) for field in work.X.features}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in look(folder):
        print(each)
