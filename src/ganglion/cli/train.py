"""`ganglion train`: the workflow, with a progress bar, a saved model and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.markup import escape

from ganglion import workflow
from ganglion.cli.screen import TrainingProgress, out, print_json, say, shown_warnings
from ganglion.data.suspicions import SuspiciousData
from ganglion.data.text_encoding import n_characters
from ganglion.errors import InvalidParameter, SaveFailed
from ganglion.options import options_of, parse_option, unknown_option
from ganglion.registry import algorithm
from ganglion.training.distribution import together, workers
from ganglion.workflow import Plan

_LABELS = {"error": "[red]warning:[/]", "warning": "[yellow]warning:[/]", "note": "[cyan]note:[/]"}  # training goes on


def train_model(
    data: Path,
    *,
    settings: Sequence[str],
    out: Path,
    seed: int,
    checkpoint: Path | None,
    resume: bool,
    report: Path | None,
    baselines: bool,
    quiet: bool,
    as_json: bool,
    size: str | None,
    sensitive: Sequence[str],
    **asked: Any,
) -> None:
    """Plan, train, save, test, save again with the figures, and show the report.

    Under `torchrun` every worker trains; the first one does the rest.
    """
    speaks = workers().speaks
    quiet = quiet or as_json or not speaks
    if resume and checkpoint is None:
        raise InvalidParameter("--resume needs --checkpoint FOLDER: where the run saved itself.")
    with shown_warnings(quiet=quiet, told=(SuspiciousData,)):
        with together():
            for path in (out, report) if speaks else ():
                check_folder(path)
            planned = workflow.plan(data, random_state=seed, size=parse_size(size), **asked)
            options = {"random_state": seed} | parse_settings(planned.selection.name, settings)
            _tell(planned, quiet=quiet)
            with TrainingProgress(quiet=quiet) as progress:
                model = workflow.train(
                    planned, options=options, callbacks=(progress,), checkpoint=checkpoint, resume=resume
                )
        if not speaks:
            return
        model.save(out)  # before the test: nothing is lost if that fails
        if model.history_.stopped == "interrupted":
            go_on = f" Go on with --checkpoint {escape(str(checkpoint))} --resume." if checkpoint else ""
            say(f"interrupted: the best model so far is in {escape(str(out))}; it was not tested.{go_on}")
            raise typer.Exit(1)
        say(f"saved {escape(str(out))}", quiet=quiet)
        result = workflow.assess(planned, model, baselines=baselines, random_state=seed, sensitive=names_of(sensitive))
        model.save(out)
    if report is not None:
        result.to_html(report)
        say(f"report {escape(str(report))}", quiet=quiet)
    _show(result, out, as_json=as_json)


def parse_settings(name: str, settings: Sequence[str]) -> dict[str, Any]:
    """Read `--set OPTION=VALUE` with the algorithm's own checks and texts."""
    declared = options_of(algorithm(name))
    options = {}
    for setting in settings:
        option, separator, text = setting.partition("=")
        option = option.strip().replace("-", "_")
        if not separator:
            raise InvalidParameter(f"--set {setting}: give OPTION=VALUE, as in --set hidden=256,128.")
        if option not in declared:
            raise unknown_option(name, option, list(declared))
        options[option] = parse_option(name, option, text, *declared[option][:2])
    return options


def names_of(sensitive: Sequence[str]) -> list[str]:
    """Read `--sensitive`: names of columns, several with commas between them or one after the other."""
    return [name.strip() for given in sensitive for name in given.split(",") if name.strip()]


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Read `--image-size`: HEIGHTxWIDTH, or one number for both."""
    if text is None:
        return None
    sides = text.lower().replace("×", "x").split("x")
    if len(sides) > 2 or not all(side.strip().isdecimal() for side in sides):
        raise InvalidParameter(f"--image-size {text}: give HEIGHTxWIDTH in pixels, as 96x128, or one number for both.")
    return int(sides[0]), int(sides[-1])


def check_folder(path: Path | None) -> None:
    """Raise SaveFailed unless a file can be written at a path."""
    if path is not None and not path.absolute().parent.is_dir():
        raise SaveFailed(
            f"the folder {path.absolute().parent} does not exist, so {path.name} cannot be saved there. Create it "
            "first."
        )
    if path is not None and path.is_dir():
        raise SaveFailed(f"{path} is a folder. Give the name of a file in it.")


def _tell(planned: Plan, *, quiet: bool) -> None:
    say(f"[bold]{planned.selection.name}[/]: {escape(planned.selection.reason)}", quiet=quiet)
    for finding in planned.findings:
        where = f"{finding.column}: " if finding.column else ""
        say(f"{_LABELS[finding.severity]} {escape(where + finding.text)}", quiet=quiet)
    what, sizes = "rows", (len(planned.train), len(planned.test))
    if planned.selection.task.name == "language_modelling":
        what, sizes = "characters", (n_characters(planned.train), n_characters(planned.test))
    if planned.selection.task.name == "music_modelling":
        what = "pieces"
    say(f"{sizes[0]:,} {what} to train on, {sizes[1]:,} to test on", quiet=quiet)


def _show(result: Any, path: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict() | {"saved": str(path)})
    else:
        out.print(result)
