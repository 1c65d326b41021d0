"""`ganglion compare`: algorithms on a data file, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Named = Annotated[
    list[str] | None,
    typer.Option(
        "--models", "-m", metavar="NAME,NAME", help="Algorithms, as mlp,rnn; see `ganglion list`. Else what suits."
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="OPTION=VALUE", help="An option of all algorithms that have it. Repeat."),
]
Cv = Annotated[
    str | None,
    typer.Option("--cv", metavar="NUMBER", help="Folds (5), or `time`: what comes later in the file is held out."),
]
Repeats = Annotated[
    int | None,
    typer.Option("--repeats", min=1, metavar="NUMBER", help="Deal the rows out so often."),
]
Groups = Annotated[
    str | None,
    typer.Option("--groups", metavar="NAME", help="Rows with the same value here stay together (patients, customers)."),
]
Judged = Annotated[str | None, typer.Option("--metric", metavar="NAME", help="Judge by this, as roc_auc or mae.")]
Dropped = Annotated[list[str] | None, typer.Option("--drop", metavar="NAME", help="Leave a column out. Repeat.")]
Asked = Annotated[str | None, typer.Option("--task", metavar="TASK", help="classification or regression.")]
Growing = Annotated[bool, typer.Option("--curve/--no-curve", help="Whether to draw learning curves, too.")]


def compare_models(
    data: Path,
    *,
    target: Sequence[str] | None,
    models: Sequence[str],
    settings: Sequence[str],
    drop: Sequence[str],
    task: str | None,
    seed: int,
    report: Path | None,
    quiet: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Compare algorithms on the rows of a file."""
    from rich.markup import escape

    from ganglion.cli.screen import out, print_json, say, shown_warnings
    from ganglion.cli.train import check_folder
    from ganglion.evaluation.compare import compare
    from ganglion.workflow import learnable

    quiet = quiet or as_json
    check_folder(report)
    with shown_warnings(quiet=quiet):
        X, y, selection = learnable(data, target=target, drop=drop, task=task)
        contenders = _contenders(models or [selection.name], settings, selection.task.kind, seed)
        say(f"{', '.join(contenders)}: {escape(selection.task.reason)}", quiet=quiet)
        tell = None if quiet else (lambda line: say(f"[dim]{escape(line)}[/]"))
        result = compare(contenders, X, y, random_state=seed, progress=tell or False, **asked)
    if report is not None:
        result.to_html(report)
        say(f"report {escape(str(report))}", quiet=quiet)
    print_json(result.to_dict()) if as_json else out.print(result)


def cv_of(text: str | None) -> int | str | None:
    """Read `--cv`: a number of folds, or "time"."""
    return int(text) if text is not None and text.isdecimal() else text


def _class(name: str, kind: str) -> Any:
    """Return an algorithm by its name, or by the part of it before Classifier or Regressor."""
    from ganglion.errors import InvalidParameter
    from ganglion.registry import algorithm, names

    plain = name.lower().replace("-", "").replace("_", "")
    ending = {"classification": "classifier", "regression": "regressor"}.get(kind, "")
    known = {each.lower(): each for each in names()}
    cls = algorithm(known.get(plain + ending, name))
    if cls.tags.task != kind:
        raise InvalidParameter(f"{cls.__name__} does {cls.tags.task}, but the task is {kind}. Take another.")
    return cls


def _contenders(names: Sequence[str], settings: Sequence[str], kind: str, seed: int) -> dict[str, Any]:
    """Return unfitted estimators by name: for each name the one that does the task."""
    from ganglion.errors import InvalidParameter
    from ganglion.options import options_of, parse_option, unknown_option
    from ganglion.registry import all_algorithms

    wanted = [each.strip() for name in names for each in name.split(",") if each.strip()]
    classes = {cls.__name__: cls for cls in (_class(name, kind) for name in wanted)}
    made: dict[str, dict[str, Any]] = {name: {"random_state": seed} for name in classes}
    for setting in settings:
        option, separator, text = setting.partition("=")
        option = option.strip().replace("-", "_")
        if not separator:
            raise InvalidParameter(f"--set {setting}: give OPTION=VALUE, as in --set epochs=20.")
        having = [name for name, cls in classes.items() if option in options_of(cls)]
        if not having:
            first = next(iter(classes))
            raise unknown_option(first, option, list(options_of(classes[first])))
        for name in having:
            made[name][option] = parse_option(name, option, text, *options_of(classes[name])[option][:2])
    return {name: all_algorithms()[name](**options) for name, options in made.items()}
