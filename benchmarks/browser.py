"""Chromium without a window, driven by its DevTools protocol through a pipe: no package, no driver and no port.

with Browser() as browser:
    tab = browser.open(Path("model.html"), width=390, dark=True)
    tab.press("Tab", "Enter")
    tab.run("return document.activeElement.id")
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Self

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-extensions", "--hide-scrollbars"),
    # a microphone that is there, and allowed: it plays the file that is put into its place, or beeps
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
)
# what DevTools wants to know of a key: its code, its number, and the text that it enters
_KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Space": (" ", 32, " "),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}
_SHIFT = 8


class BrowserFailed(Exception):
    """The browser did not do what it was told; the message is its own."""


def find_chromium() -> str | None:
    """Return the path of a Chromium on this machine, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def find_package(name: str, variable: str) -> Path | None:
    """Return the folder of an npm package: named by a variable, or in node_modules here or above; or None."""
    given = os.environ.get(variable)
    places = [Path(given)] if given else []
    places += [up / "node_modules" / name for up in Path(__file__).resolve().parents]
    return next((folder for folder in places if (folder / "package.json").is_file()), None)


class Browser:
    """One Chromium with a profile of its own, which ends with the `with` block.

    Parameters
    ----------
    sound : path-like, optional
        A WAV file that the microphone plays, once.
    timeout : float
        Seconds that any one thing may take.
    """

    def __init__(self, *, sound: str | os.PathLike[str] | None = None, timeout: float = 60) -> None:
        self._timeout = timeout
        self._numbers = itertools.count(1)
        self._left, self._tabs = b"", {}
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # its helpers end a little later
        playing = () if sound is None else (f"--use-file-for-fake-audio-capture={os.fspath(sound)}%noloop",)
        command = [
            str(find_chromium()),
            *FLAGS,
            *playing,
            f"--user-data-dir={self._profile.name}",
            "--remote-debugging-pipe",
        ]
        heard, self._commands = os.pipe()
        self._told, said = os.pipe()
        # the browser reads from 3 and writes to 4; high numbers beforehand, so that neither overwrites the other
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 100) for end in (heard, said)]
        quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (1, 2)]
        pipes = [(os.POSIX_SPAWN_DUP2, end, number) for end, number in zip(ends, (3, 4), strict=True)]
        self._process = os.posix_spawn(command[0], command, os.environ, file_actions=[*quiet, *pipes], setpgroup=0)
        for end in (heard, said, *ends):
            os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._told)
        self._profile.cleanup()

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> Tab:
        """Open a file in a tab of its own, and wait until it is there.

        Parameters
        ----------
        page : Path
        width, height : int
            Of the window, in pixels.
        dark : bool
            Whether the user wishes dark pages.
        """
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self._tabs[session] = Tab(self, session, target)
        tab.show(width=width, height=height, dark=dark)
        tab.load(page)
        return tab

    def ask(self, method: str, *, session: str = "", **given: Any) -> dict[str, Any]:
        """Return what the browser answers to a command of the protocol; raises BrowserFailed."""
        number, until = next(self._numbers), time.monotonic() + self._timeout
        command = {"id": number, "method": method, "params": given} | ({"sessionId": session} if session else {})
        left = memoryview(json.dumps(command).encode() + b"\0")
        while left:
            left = left[os.write(self._commands, left) :]
        while True:
            said = self._next(until, method)
            if said.get("id") == number:
                if "error" in said:
                    raise BrowserFailed(f"{method}: {said['error']['message']}")
                return said["result"]

    def wait(self, tab: Tab, event: str) -> None:
        """Wait until a tab has told of an event."""
        until = time.monotonic() + self._timeout
        while event not in tab.events:
            self._next(until, event)

    def _next(self, until: float, awaited: str) -> dict[str, Any]:
        """Return the next message; events also go to their tab."""
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._told], [], [], max(0.0, until - time.monotonic()))
            part = os.read(self._told, 2**20) if ready else b""
            if not part:
                raise BrowserFailed(f"{awaited}: {'it has ended' if ready else f'no answer in {self._timeout:g} s'}")
            self._left += part
        message, _, self._left = self._left.partition(b"\0")
        said = json.loads(message)
        if "method" in said and said.get("sessionId") in self._tabs:
            self._tabs[said["sessionId"]].hear(said["method"], said["params"])
        return said


class Tab:
    """One page in a browser.

    Attributes
    ----------
    requests : list of str
        The address of everything that the page asked for.
    errors : list of str
        What it complained of: exceptions, and errors and warnings of the console.
    events : set of str
        Names of what the protocol told since the page was loaded.
    """

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.events: set[str] = set()
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Return what the browser answers to a command about this page."""
        return self._browser.ask(method, session=self._session, **given)

    def hear(self, event: str, told: dict[str, Any]) -> None:
        """Take note of an event."""
        self.events.add(event)
        if event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
            self.errors.append(" ".join(str(each.get("value", each.get("description"))) for each in told["args"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.errors.append(told["entry"]["text"])

    def load(self, page: Path) -> None:
        """Load a file in place of what is shown."""
        self.requests, self.errors, self.events = [], [], set()
        failed = self.ask("Page.navigate", url=page.resolve().as_uri()).get("errorText")
        if failed:
            raise BrowserFailed(f"{page}: {failed}")
        self._browser.wait(self, "Page.loadEventFired")

    def show(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Change the size of the window, and which colours are wished."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        wish = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[wish])

    def run(self, script: str) -> Any:
        """Return what the body of an async function returns, as JSON has it; raises BrowserFailed if it throws."""
        said = self.ask(
            "Runtime.evaluate", expression=f"(async () => {{ {script} }})()", awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in said:
            details = said["exceptionDetails"]
            raise BrowserFailed(details.get("exception", {}).get("description", details["text"]))
        return said["result"].get("value")

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys and let them go: names such as "Tab", "Space", "ArrowDown", or single characters."""
        for key in keys:
            self.hold(key, shift=shift)
            self.release(key, shift=shift)

    def hold(self, key: str, *, shift: bool = False) -> None:
        """Press a key."""
        name, number, text = _KEYS.get(key, (key, 0, key))
        self._key("keyDown" if text else "rawKeyDown", name, number, shift, text=text)

    def release(self, key: str, *, shift: bool = False) -> None:
        """Let a key go."""
        name, number, _ = _KEYS.get(key, (key, 0, key))
        self._key("keyUp", name, number, shift)

    def _key(self, what: str, name: str, number: int, shift: bool, **more: str) -> None:
        code = "Space" if name == " " else name
        modifiers = _SHIFT if shift else 0
        self.ask(
            "Input.dispatchKeyEvent",
            type=what,
            key=name,
            code=code,
            windowsVirtualKeyCode=number,
            modifiers=modifiers,
            **more,
        )

    def choose(self, selector: str, file: Path) -> None:
        """Put a file into an input for files, as its dialogue would."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file.resolve())])

    def picture(self) -> bytes:
        """Return the whole page as a PNG file."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        told = self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(told["data"])

    def close(self) -> None:
        """Close the tab."""
        self._browser.ask("Target.closeTarget", targetId=self._target)
