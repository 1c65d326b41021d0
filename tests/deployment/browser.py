"""A page in headless Chromium, and what a script in it says."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

MARK = "ganglion-told:"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--v=0"),
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
RUNTIME = next(
    (
        folder
        for folder in (
            Path(os.environ.get("GANGLION_ONNXRUNTIME_WEB", "/nowhere")),
            *(up / "node_modules" / "onnxruntime-web" for up in Path(__file__).parents),
        )
        if (folder / "package.json").is_file()
    ),
    None,
)
needs_runtime = pytest.mark.skipif(
    RUNTIME is None, reason="onnxruntime-web is not here: npm install onnxruntime-web, or set GANGLION_ONNXRUNTIME_WEB"
)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: the page was not opened")


def told_by(page: Path, script: str, timeout: float = 120) -> Any:
    """Open a page, from its file, and return what `script` (the body of an async function) returns, as JSON."""
    opened = page.with_name(f"opened-{page.name}")
    run = (
        "<script>window.addEventListener('load', async () => { let told; try { told = await (async () => { "
        f"{script} }})(); }} catch (error) {{ told = {{ error: String(error) }}; }} "
        f"console.log('{MARK}' + encodeURIComponent(JSON.stringify(told ?? null)) + ':end'); }});</script>"
    )
    opened.write_text(page.read_text(encoding="utf-8").replace("</body>", run + "</body>"), encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # its helpers end a little later
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", opened.as_uri()]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            try:
                return _awaited(process, timeout)
            finally:
                process.kill()


def _awaited(process: subprocess.Popen, timeout: float) -> Any:
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    seen = []
    try:
        for line in process.stderr:
            seen.append(line)
            if MARK in line:
                return json.loads(unquote(line.split(MARK, 1)[1].split(":end", 1)[0]))
    finally:
        timer.cancel()
    raise AssertionError("the page told nothing: " + "".join(seen[-20:]))
