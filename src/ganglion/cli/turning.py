"""`ganglion counterfactual`: what would turn a saved model's decision about a row of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from ganglion.cli.commands import features_of
from ganglion.cli.screen import out as screen
from ganglion.cli.screen import print_json, say, shown_warnings


def turn_row(
    model: Path,
    data: Path,
    *,
    row: int,
    target: str | None,
    features: str | None,
    keep: str | None,
    ranges: Sequence[str],
    k: int,
    background: Path | None,
    seed: int,
    html: Path | None,
    as_json: bool,
) -> None:
    """Find the nearest changes of one row that turn the decision."""
    from ganglion.errors import InvalidParameter
    from ganglion.estimators.artifact import load
    from ganglion.explanation.counterfactual import counterfactual

    with shown_warnings():
        estimator = load(model)
        X = features_of(data, estimator)
        if not 0 <= row < len(X):
            raise InvalidParameter(
                f"there is no row {row}: {data} has {len(X):,} rows, which count from 0 to {len(X) - 1:,}."
            )
        result = counterfactual(
            estimator,
            X.take([row]),
            target if target is None or hasattr(estimator, "classes_") else tuple(_ends(target)),
            background=X if background is None else features_of(background, estimator),
            features=None if features is None else _names(features),
            keep=[] if keep is None else _names(keep),
            ranges=dict(_range(each) for each in ranges),
            k=k,
            random_state=seed,
        )
    if html is not None:
        result.to_html(html)
        say(f"saved {escape(str(html))}")
    print_json(result.to_dict()) if as_json else screen.print(result)


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",")]


def _range(text: str) -> tuple[str, Any]:
    """Read age=30:50, age=up, or color=red,blue."""
    from ganglion.errors import InvalidParameter

    name, equals, given = text.partition("=")
    if not equals or not given:
        raise InvalidParameter(
            f"--range {text!r}: say NAME=LOW:HIGH, NAME=up, NAME=down or NAME=VALUE,VALUE; age=30: is 30 or more."
        )
    if given in ("up", "down"):
        return name, given
    return name, _ends(given) if ":" in given else _names(given)


def _ends(text: str) -> list[float | None]:
    """Read 30:50, 30: or :50."""
    from ganglion.errors import InvalidParameter

    low, colon, high = text.partition(":")
    try:
        if not colon:
            raise ValueError
        return [float(each) if each.strip() else None for each in (low, high)]
    except ValueError:
        raise InvalidParameter(f"{text!r} is no range of numbers: say LOW:HIGH, LOW: or :HIGH.") from None
