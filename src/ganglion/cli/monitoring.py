"""`ganglion monitor`: what has changed since training."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.markup import escape

from ganglion.cli.screen import out as screen
from ganglion.cli.screen import print_json, say

ALARM = 3  # exit code where rows are not like those of training


def monitor_models(source: str, *, hours: float | None, html: Path | None, as_json: bool) -> None:
    """Show how what models are asked differs from their training data; exit code 3 where it does."""
    from ganglion.deployment.drift_shown import page
    from ganglion.deployment.monitor import monitor
    from ganglion.drawing.gallery import document
    from ganglion.storage import write_text

    found = monitor(source, hours=hours)
    if html is not None:
        write_text(html, document("Drift", page(found)))
        say(f"saved {escape(str(html))}")
    if as_json:
        print_json([each.to_dict() for each in found])
    else:
        for each in found:
            screen.print(each)
        if not found:
            say("no model has been asked often enough yet.")
    if any(each.outcome == "drift" for each in found):
        raise typer.Exit(ALARM)
