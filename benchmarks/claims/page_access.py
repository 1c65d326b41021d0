"""Exported pages can be used by everyone: looked over by axe-core, and used with the keyboard alone, in Chromium.

`python -m benchmarks.claims.page_access FOLDER` also keeps a picture of every page in every setting, to be looked at.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.browser import Browser, Tab, find_chromium, find_package
from benchmarks.claims import Claim, Figure, Skipped
from benchmarks.claims._page_uses import FINDINGS, USES, with_an_error
from benchmarks.claims._works import (
    Work,
    blood,
    cells,
    image,
    mixed,
    pictures,
    sequence,
    table,
    temperatures,
    text,
    words,
)
from benchmarks.claims.export_parity import trained
from ganglion.deployment.export import export
from ganglion.deployment.web_runtime import find_web_runtime
from ganglion.errors import InvalidFile, MissingExtra

WIDTHS = (1280, 390)  # of a desktop and of a phone, in pixels
AHEAD: dict[str, Any] = {"network": "linear", "horizon": 6, "window": 12, "epochs": "auto", "steps": 50}
PAGES: dict[str, tuple[str, Callable[[], Work], dict[str, Any]]] = {
    "table": ("MLPClassifier", table, {}),
    "image": ("CNNClassifier", image, {}),
    "text": ("TextCNN", text, {}),
    "sequence": ("RNNClassifier", sequence, {}),
    "words": ("RNNTagger", words, {"width": 16}),
    "series": ("Forecaster", temperatures, AHEAD),
    "masks": ("SegmentationCNN", cells, {"channels": 4, "depth": 2, "epochs": 2}),
    "boxes": ("DetectionCNN", blood, {"channels": 8, "depth": 1, "epochs": 4}),
    "outliers": ("Autoencoder", mixed, {"hidden": (16,), "latent": 2}),
    "codes": ("VAE", pictures, {"hidden": (32,), "latent": 4}),
}
_READY = "await ganglion.session; await new Promise((go) => setTimeout(go)); return document.title"


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
        data=f"Pages of {', '.join(f'{name} ({algorithm})' for name, (algorithm, *_) in PAGES.items())}, "
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
        given = {kind: load() for kind, (_, load, _) in PAGES.items()}
    except (InvalidFile, MissingExtra) as error:
        raise Skipped(str(error)) from error
    rules = (axe / "axe.min.js").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        for kind, (algorithm, _, options) in PAGES.items():
            model, page = trained(algorithm, given[kind], options), Path(folder) / f"{kind}.html"
            export(model, page, rows=given[kind].X if kind == "boxes" else None)
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
    told = USES[kind](tab, model, work, unseen)
    tab.run(f"{rules}; return 0")
    found = tab.run(FINDINGS)
    if kind == "table":
        found += with_an_error(tab, unseen)
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


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in look(folder):
        print(each)
