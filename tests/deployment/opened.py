"""Pages in a browser: whether one is here, and what a user of a page does."""

import pytest
from benchmarks.browser import find_chromium, find_package

from ganglion.deployment.web_runtime import PLACE

RUNTIME = find_package("onnxruntime-web", PLACE)
needs_browser = pytest.mark.skipif(
    RUNTIME is None or find_chromium() is None,
    reason="Chromium, or onnxruntime-web (npm install onnxruntime-web, or set GANGLION_ONNXRUNTIME_WEB), is not here: "
    "no page was opened",
)


def walk_to(tab, wanted):
    """Press Tab until an element has the focus."""
    for _ in range(30):
        tab.press("Tab")
        if tab.run("return document.activeElement.id") == wanted:
            return
    raise AssertionError(f"the Tab key does not reach {wanted}")


def told_by(tab):
    return tab.run(
        "const told = () => document.querySelector('#answer .label, .error');"
        "while (!told()) await new Promise((go) => setTimeout(go, 10));"
        "return (told().closest('#answer') ?? told()).textContent"
    )
