"""What the commands share of the screen: results on stdout, everything else on stderr, warnings as one line."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

out = Console(soft_wrap=False)
err = Console(stderr=True)


def problem(text: str) -> None:
    """Print an error."""
    say(f"[bold red]error:[/] {escape(text)}")


def say(text: str, *, quiet: bool = False) -> None:
    """Print a line that is no result, on stderr: wrapped at words in a terminal, whole elsewhere."""
    if not quiet:
        err.print(text, highlight=False, soft_wrap=not err.is_terminal)


def print_json(content: Any) -> None:
    """Print JSON on stdout."""
    json.dump(content, sys.stdout, indent=1, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


@contextlib.contextmanager
def shown_warnings(*, quiet: bool = False, told: tuple[type[Warning], ...] = ()) -> Iterator[None]:
    """Show each warning once, as one line without the code around it; not those of the kinds `told` already."""

    def show(message: Any, category: type, *_: object) -> None:
        say(f"[yellow]warning:[/] {escape(str(message))}", quiet=quiet)

    with warnings.catch_warnings():
        warnings.simplefilter("once")
        for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, *told):
            warnings.simplefilter("ignore", kind)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


class TrainingProgress:
    """One line of progress while training: a bar in a terminal (10 times a second at most), plain lines elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.bar = quiet, None
        self._task: Any = None
        self._said = 0.0
        if err.is_terminal and not quiet:
            columns = (
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
            )
            self.bar = Progress(*columns, console=err, refresh_per_second=10, transient=True)

    def __enter__(self) -> TrainingProgress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, row: dict[str, Any], epochs: int) -> None:
        """Show the row of an epoch."""
        if self.quiet:
            return
        if self.bar is not None:
            if self._task is None:
                self._task = self.bar.add_task("training", total=epochs, figures="")
            self.bar.update(self._task, completed=row["epoch"], figures=_figures(row))
        elif row["epoch"] in (1, epochs) or time.monotonic() - self._said > 5:
            self._said = time.monotonic()
            say(f"epoch {row['epoch']}/{epochs}  {_figures(row)}")


def _figures(row: dict[str, Any]) -> str:
    names = {"loss": "loss", "validation_loss": "held-out loss", "validation_score": "score"}
    return "  ".join(f"{label} {row[name]:.4f}" for name, label in names.items() if name in row)
