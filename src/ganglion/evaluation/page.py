"""A report as one HTML page, complete in itself: no scripts, nothing fetched; every word of data escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ganglion.drawing.axes import number
from ganglion.drawing.gallery import grid, scrollable
from ganglion.drawing.learning import learning_charts
from ganglion.drawing.svg import Chart, shorten, shorten_inside
from ganglion.evaluation import plots
from ganglion.evaluation.kinds import KINDS
from ganglion.evaluation.metrics import METRICS, Metric, class_metrics, metric_of
from ganglion.evaluation.mistakes import Mistake
from ganglion.evaluation.page_parts import framed, listed, plain_table, section
from ganglion.evaluation.terminal import TOO_GOOD, cell, figure, guess

if TYPE_CHECKING:
    from ganglion.evaluation.report import Report

MOST_COLUMNS = 8  # of a row's values beside a mistake
MOST_LETTERS = 300  # of a text
_MARKED = "Marked are the words that pushed it there: without them it would have leant more to the truth."
MOST_SUSPECTS = 20  # rows whose label is worth a check
_OUTCOME = {"better": "good", "no difference": "even", "worse": "bad", "not compared": "even"}
_HEADING = {
    "better": "Better than the baselines",
    "no difference": "Not shown to be better",
    "worse": "Worse than a baseline",
    "not compared": "Not compared",
}


def fragment(report: Report) -> str:
    """Return the report as a piece of HTML with its style, for a page or a notebook."""
    charts = plots.charts_of(report)
    race = charts.pop("comparison", None)
    learned = learning_charts(report.learning_curves, report.best_epoch)
    curves = [charts[name] for name in learned]
    parts = [
        _header(report),
        _verdict(report),
        _leaks(report),
        section("Figures", _top(report, race) + _figures(report)),
        section("Learning curves", grid(curves)) if curves else "",
        _answers(report, {name: each for name, each in charts.items() if each not in curves}),
        _trust(report),
        _mistakes(report),
        _augmentation(report),
        report.audit.inner_html if report.audit is not None else "",
        section("Data and model", _facts(report)),
        listed("Notes", report.notes),
    ]
    return framed("".join(parts))


def _header(report: Report) -> str:
    kind = KINDS[report.task]
    about = f"{kind.about}, {report.n_rows:,} evaluation {kind.unit}"
    return f"<header><h1>{html.escape(report.model.name)}</h1><p>{about}</p></header>"


def _verdict(report: Report) -> str:
    outcome = report.comparison.outcome
    return (
        f'<section class="verdict {_OUTCOME[outcome]}"><h2>{_HEADING[outcome]}</h2>'
        f"<p>{html.escape(report.verdict).replace('95 %', '95&nbsp;%')}</p></section>"
    )


def _leaks(report: Report) -> str:
    items = "".join(f"<li>{html.escape(each.sentence)}</li>" for each in report.diagnosis.leaks)
    return f'<section class="verdict bad"><h2>{TOO_GOOD}</h2><ul>{items}</ul></section>' if items else ""


def _top(report: Report, race: Chart | None) -> str:
    figure = f"<figure>{race.inline}</figure>" if race else ""
    return f'<div class="gg-charts top">{_headline(report)}{figure}</div>'


def _headline(report: Report) -> str:
    """Return the headline metric and the next ones that are defined as large figures."""
    names = list(dict.fromkeys((report.comparison.metric, *KINDS[report.task].large)))
    defined = [metric_of(report.task, name) for name in names if report.metrics[name].value is not None][:4]
    boxes = []
    for metric in defined:
        estimate = report.metrics[metric.name]
        value, _, interval = figure(estimate).partition(" ")
        boxes.append(
            f"<div><dt>{html.escape(metric.label)}</dt><dd><b>{value}</b><span>{html.escape(interval)}</span></dd></div>"
        )
    return f'<dl class="figures">{"".join(boxes)}</dl>'


def _figures(report: Report) -> str:
    caption = "95 % bootstrap intervals under each figure. ↑ higher is better, ↓ lower is better."
    absent = {estimate.reason for estimate in report.metrics.values() if estimate.value is None}
    reasons = "".join(f'<p class="soft">– {html.escape(reason)}.</p>' for reason in sorted(absent))
    content = f'{_figure_table(report, METRICS[report.task], "All figures")}<p class="soft">{caption}</p>{reasons}'
    of_classes = class_metrics(report.task, report.classes)
    return content + (f"<h3>Each class</h3>{_figure_table(report, of_classes, 'Each class')}" if of_classes else "")


def _figure_table(report: Report, metrics: Sequence[Metric], name: str) -> str:
    heads = "".join(f'<th scope="col">{html.escape(each.name)}</th>' for each in report.contenders)
    rows = []
    for metric in metrics:
        mark = "higher is better" if metric.higher_is_better else "lower is better"
        arrow = "↑" if metric.higher_is_better else "↓"
        headline = ' class="headline"' if metric.name == report.comparison.metric else ""
        cells = []
        for each in report.contenders:
            estimate = each.metrics[metric.name]
            value, _, interval = figure(estimate).partition(" ")
            tip = f' title="{html.escape(estimate.reason)}"' if estimate.reason else ""
            cells.append(f"<td{tip}>{value}<small>{html.escape(interval)}</small></td>")
        label = f'{html.escape(metric.label)} <abbr title="{mark}">{arrow}</abbr>'
        rows.append(f'<tr{headline}><th scope="row">{label}</th>{"".join(cells)}</tr>')
    table = f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return scrollable(table, name)


def _answers(report: Report, charts: Mapping[str, Chart]) -> str:
    if report.task == "regression":
        return section("Predictions and errors", grid(charts.values()))
    content = grid(charts.values())
    if report.confusion is not None and "confusion" not in charts:
        rows = [(a, b, f"{n:,}", f"{share:.1%}") for a, b, n, share in plots.top_confusions(report)]
        heads = ("true", "predicted", plots.unit_of(report), "of the true class")
        content += f"<h3>Commonest confusions</h3>{plain_table(heads, rows)}"
    headings = {
        "segmentation": "Confusion of pixels",
        "detection": "Precision and recall",
        "tagging": "Confusion of labels",
        "music_modelling": "Written by the model",
        "forecasting": "Forecasts",
        "anomaly_detection": "Alarms",
        "generation": "Made beside real",
        "reconstruction": "Said again",
    }
    return section(headings.get(report.task, "Confusion and calibration"), content) if content else ""


def _mistakes(report: Report) -> str:
    kind = KINDS[report.task]
    heading = "Worst mistakes" if kind.unit == "rows" else kind.worst
    if not kind.worst:
        return ""
    if not report.mistakes:
        return section(heading, f"<p>None: every {kind.unit[:-1]} is predicted right.</p>")
    lead, shown = kind.lead, [each.picture for each in report.mistakes if each.picture]
    if shown:
        least = max(118, 0.9 * max(each.width for each in shown))  # pixels: room for the words below
        most = MOST_LETTERS if kind.whole_texts else 60
        cards = "".join(_card(each, each.picture, most) for each in report.mistakes if each.picture)
        return section(
            heading, f'<p class="soft">{lead}</p><ul class="pictures" style="--card:{least:.0f}px">{cards}</ul>'
        )
    if report.mistakes[0].pieces:
        words = kind.lead if kind.unit != "rows" else f"{kind.lead} {_MARKED}"
        texts = "".join(_text(each, kind.unit) for each in report.mistakes)
        return section(heading, f'<p class="soft">{words}</p><ul class="texts">{texts}</ul>')
    if report.mistakes[0].words:
        texts = "".join(map(_tags, report.mistakes))
        return section(heading, f'<p class="soft">{lead}</p><ul class="texts">{texts}</ul>')
    columns = list(report.mistakes[0].features)[:MOST_COLUMNS]
    rows = [
        (str(each.row), _answer(each.truth), guess(each), *(cell(each.features.get(name)) for name in columns))
        for each in report.mistakes
    ]
    table = plain_table(("row", "truth", "prediction", *columns), rows)
    left_out = len(report.mistakes[0].features) - len(columns)
    more = f" The first {len(columns)} columns are shown; {left_out} more are in the JSON." if left_out else ""
    return section(heading, f'<p class="soft">{lead}{more}</p>{table}')


def _text(mistake: Mistake, unit: str) -> str:
    """Return a text with its marks, the darker the stronger, and below it what is true and what was said."""
    shown = "".join(_mark(piece, strength) for piece, strength in mistake.pieces)
    if unit == "passages":
        below = html.escape(f"passage {mistake.row}: {guess(mistake)}")
    else:
        truth, said = (html.escape(shorten(words, 60)) for words in (_answer(mistake.truth), guess(mistake)))
        below = f"row {mistake.row}: true <b>{truth}</b>, said <b>{said}</b>"
    return f'<li><div class="words">{shown}</div><small>{below}</small></li>'


def _mark(piece: str, strength: float) -> str:
    if not strength:
        return html.escape(piece)
    word = piece.strip() or piece
    before, _, after = piece.partition(word)
    style = f' style="--push:{strength:.0%}"' if strength < 1 else ""
    return f"{before}<mark{style}>{html.escape(word)}</mark>{after}"


def _augmentation(report: Report) -> str:
    if report.augmentation is None:
        return ""
    lead = "As they are, at the left, and as the network met them while it learned: changed anew each time."
    return section("Augmentation", f'<p class="soft">{lead}</p>{grid([report.augmentation])}')


def _card(mistake: Mistake, picture: Chart, most: int) -> str:
    where = f"{shorten_inside(mistake.file, 40)}, row {mistake.row}" if mistake.file else f"row {mistake.row}"
    if mistake.words:
        return f"<li>{picture.inline}<p>{_side_by_side(mistake)}<br><small>{html.escape(where)}</small></p></li>"
    truth, said = (html.escape(shorten(words, most)) for words in (_answer(mistake.truth), guess(mistake)))
    return (
        f"<li>{picture.inline}<p>true <b>{truth}</b><br>said <b>{said}</b><br>"
        f"<small>{html.escape(where)}</small></p></li>"
    )


def _side_by_side(mistake: Mistake) -> str:
    """Return words with what was said of them, where that is wrong: marked, with what is true in brackets."""
    return " ".join(
        html.escape(word)
        if true == said
        else f"<mark>{html.escape(word)} <b>{html.escape(said)}</b> ({html.escape(true)})</mark>"
        for word, true, said in mistake.words
    )


def _tags(mistake: Mistake) -> str:
    """Return the words of a text; a wrong label is marked, with the true one in brackets."""
    where = f"{shorten_inside(mistake.file, 40)}, row {mistake.row}" if mistake.file else f"row {mistake.row}"
    sure = "" if mistake.probability is None else f", sure by {mistake.probability:.1%} of {mistake.prediction}"
    return f"<li>{_side_by_side(mistake)}<br><small>{html.escape(where + sure)}</small></li>"


def _answer(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)


def _trust(report: Report) -> str:
    """Return what else the rows tell: groups, suspected labels, and a sentence for the rest."""
    found = report.diagnosis
    told = "".join(f"<li>{html.escape(each)}</li>" for each in found.sentences)
    parts = [f"<ul>{told}</ul>"] if told else []
    if found.slices is not None and found.slices.found:
        figure_name = "Mean absolute error" if report.task == "regression" else "Share of wrong answers"
        rows = [
            [" and ".join(each.conditions), f"{each.n_rows:,}", str(each.badness), f"{each.others:.3g}"]
            for each in found.slices.found
        ]
        lead = (
            f"Groups on which it is worse, of {found.slices.n_looked_at:,} looked at; the intervals are of each group "
            "alone, and each difference stands at 5 % after a correction for so many looks."
        )
        heads = ("Group", "Rows", figure_name, "Elsewhere")
        parts.append(f'<p class="soft">{lead}</p>{plain_table(heads, rows)}')
    if found.suspects:
        shown = found.suspects[:MOST_SUSPECTS]
        rows = [[str(each.row), each.given, each.likely, f"{each.margin:.2f}"] for each in shown]
        more = f"; the first {len(shown)} are shown" if len(shown) < len(found.suspects) else ""
        many = f"{len(found.suspects):,} of {report.n_rows:,}"
        lead = f"Labels worth a check, {many}: the model is surest of another class{more}."
        lead += " One of the two is wrong; with a weak model it is mostly the model."
        parts.append(f'<p class="soft">{lead}</p>{plain_table(("Row", "Label", "The model says", "Surer by"), rows)}')
    return section("How far to trust it", "".join(parts)) if parts else ""


def _facts(report: Report) -> str:
    pairs = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in report.facts.items())
    baselines = "".join(
        f"<dt>{html.escape(each.name)}</dt><dd>{html.escape(each.note)} ({each.seconds:.1f} s)</dd>"
        for each in report.baselines
        if each.seconds is not None
    )
    return f'<dl class="facts">{pairs}{baselines}</dl>'
