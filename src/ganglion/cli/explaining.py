"""`ganglion explain`: why a saved model says what it says of rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from ganglion.cli.commands import features_of
from ganglion.cli.screen import out as screen
from ganglion.cli.screen import print_json, say, shown_warnings


def explain_rows(
    model: Path,
    data: Path,
    *,
    rows: Sequence[int] | None,
    method: str,
    background: Path | None,
    output: str | None,
    n_evaluations: int | None,
    seed: int,
    html: Path | None,
    as_json: bool,
) -> None:
    """Explain rows of a data file, all of them if none is named."""
    from ganglion.estimators.artifact import load
    from ganglion.explanation.explain import explain

    with shown_warnings():
        estimator = load(model)
        X = features_of(data, estimator)
        others = X if background is None else features_of(background, estimator)
        result = explain(
            estimator,
            X if rows is None else X.take(_checked(rows, len(X), data)),
            method,
            background=others if estimator.modality_ == "table" or background is not None else None,
            output=output,
            n_evaluations=n_evaluations,
            random_state=seed,
        )
    if html is not None:
        result.to_html(html)
        say(f"saved {escape(str(html))}")
    print_json(result.to_dict()) if as_json else screen.print(result)


def _checked(rows: Sequence[int], n: int, data: Any) -> list[int]:
    from ganglion.errors import InvalidParameter

    for row in rows:
        if not 0 <= row < n:
            raise InvalidParameter(f"there is no row {row}: {data} has {n:,} rows, which count from 0 to {n - 1:,}.")
    return list(rows)
