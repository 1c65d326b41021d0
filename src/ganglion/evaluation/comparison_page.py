"""A comparison as HTML, in the style of reports: no scripts, nothing fetched; every word of data escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ganglion.drawing.gallery import grid
from ganglion.evaluation.comparison_charts import AHEAD, behind_best, charts_of
from ganglion.evaluation.page_parts import framed, listed, row, section, table
from ganglion.evaluation.terminal import figure
from ganglion.evaluation.verdict import label_in_text

if TYPE_CHECKING:
    from ganglion.evaluation.comparison import Comparison
    from ganglion.evaluation.paired import Pair

_OUTCOME = {"best": "good", "tied": "even", "nothing": "bad"}
_HEADING = {
    "best": "Take {take}",
    "tied": "Take the simpler one, {take}",
    "nothing": "Nothing is shown to be better than {take}",
}


def fragment(found: Comparison) -> str:
    """Return the comparison as a piece of HTML with its style, for a page or a notebook."""
    charts = dict(charts_of(found))
    growing = charts.pop("learning_curves", None)
    about = f"{found.task}, {found.n_rows:,} rows, judged by {label_in_text(found.metric)}"
    facts = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in found.facts.items())
    parts = [
        f"<header><h1>{html.escape(found.title)}</h1><p>{html.escape(about)}</p></header>",
        _verdict(found),
        section("Scores", grid(charts.values()) + _scores(found)),
        section("More rows", _growth(found) + grid([growing])) if growing else "",
        section("Every two", _pairs(found)),
        section("How they were compared", f'<dl class="facts">{facts}{_baselines(found)}</dl>'),
        listed("Notes", found.notes),
    ]
    return framed("".join(parts))


def _verdict(found: Comparison) -> str:
    outcome = found.recommendation.outcome
    return (
        f'<section class="verdict {_OUTCOME[outcome]}"><h2>{html.escape(_HEADING[outcome].format(take=found.take))}'
        f"</h2><p>{html.escape(found.verdict)}</p></section>"
    )


def _scores(found: Comparison) -> str:
    arrow = "↑" if found.metric.higher_is_better else "↓"
    heads = ["", f"{found.metric.label} {arrow}", "behind the best", "p, corrected", "seconds"]
    rows = []
    for each, pair in zip(found.entries, [None, *behind_best(found)], strict=True):
        gap = ("", "") if pair is None else (figure(pair.difference), _shown(pair))
        cells = row((each.name, figure(each.score), *gap, f"{each.seconds:.2g}"))
        rows.append(cells.replace("<tr>", '<tr class="headline">', 1) if each.name == found.take else cells)
    return table(heads, rows, "Scores")


def _shown(pair: Pair) -> str:
    return f"{pair.p_corrected:.2g}, {'told' if pair.told_apart else 'not told'} apart"


def _growth(found: Comparison) -> str:
    words = found.more_rows.sentence if found.more_rows is not None else ""
    lead = (
        f"Mean scores at a sixteenth to all of a fold's rows; dotted, the fitted law a - b n^-c up to {AHEAD:.0f} "
        "times as many. The further out, the more of a guess."
    )
    return f'<p>{html.escape(words)}</p><p class="soft">{html.escape(lead)}</p>'


def _pairs(found: Comparison) -> str:
    rows = []
    for each in found.pairs:
        tests = (f"{each.t:.2f}", f"{each.p:.2g}", _shown(each))
        rows.append(row((f"{each.first} over {each.second}", figure(each.difference), *tests)))
    lead = (
        "t and p of the corrected resampled t-test; corrected at 5 % for the number of looks (Holm), those at "
        "the simplest baseline apart. Told apart means that the test says so and the interval does not hold 0."
    )
    heads = ["", f"{label_in_text(found.metric)} better by", "t", "p", "p, corrected"]
    return f'<p class="soft">{html.escape(lead)}</p>{table(heads, rows, "Every two")}'


def _baselines(found: Comparison) -> str:
    return "".join(
        f"<dt>{html.escape(each.name)}</dt><dd>{html.escape(each.note)}</dd>" for each in found.entries if each.note
    )
