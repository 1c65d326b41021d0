"""`ganglion compress`: a saved model made smaller and faster, each way measured on rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Allowed = Annotated[
    str,
    typer.Option(
        "--budget", metavar="LIMITS", help="What may be lost, and size and time: '0.2 points', '1 point, 100 kB, 2 ms'."
    ),
]
Steps = Annotated[
    list[str] | None,
    typer.Option(
        "--steps", metavar="NAME,NAME", help="Ways to try: shrink, prune, bfloat16, int8, activations, aware."
    ),
]
Tested = Annotated[
    Path | None, typer.Option("--test", metavar="DATA", help="Rows to judge by, which the model never saw.")
]
Further = Annotated[int | None, typer.Option("--epochs", min=1, metavar="NUMBER", help="Of each further training.")]
Best = Annotated[
    Path | None, typer.Option("--save", "-o", metavar="MODEL", help="Write the best model within the budget here.")
]


def compress_model(
    model: Path,
    data: Path,
    *,
    budget: str,
    test: Path | None,
    target: Sequence[str] | None,
    steps: Sequence[str],
    epochs: int | None,
    save: Path | None,
    seed: int,
    report: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compress a model with rows of a data file; write the best one and a page where that is asked for."""
    from rich.markup import escape

    from ganglion.cli.commands import labelled_of
    from ganglion.cli.screen import out, print_json, say, shown_warnings
    from ganglion.cli.train import check_folder
    from ganglion.compression.budget import budget_of
    from ganglion.compression.compress import compress
    from ganglion.compression.variants import DEFAULT_STEPS, check_steps
    from ganglion.estimators.artifact import load

    quiet = quiet or as_json
    budget_of(budget)
    wanted = [each.strip() for step in steps for each in step.split(",") if each.strip()]
    chosen = check_steps(wanted or DEFAULT_STEPS)
    for path in (save, report):
        check_folder(path)
    with shown_warnings(quiet=quiet):
        estimator = load(model)
        rows, held_out = labelled_of(data, estimator, target)
        if test is not None:
            own, part = labelled_of(test, estimator, target)
            held_out = part or own
        tell: Any = False if quiet else (lambda line: say(f"[dim]{escape(line)}[/]"))
        found = compress(
            estimator,
            *rows,
            budget=budget,
            test=held_out,
            steps=chosen,
            epochs=epochs,
            random_state=seed,
            progress=tell,
        )
    if save is not None:
        found.best_.save(save)
        say(f"saved {found.best!r} as {escape(str(save))}", quiet=quiet)
    if report is not None:
        found.to_html(report)
        say(f"report {escape(str(report))}", quiet=quiet)
    print_json(found.to_dict()) if as_json else out.print(found)
