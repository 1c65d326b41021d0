"""`compare`: the honest board. Same folds for all, dumb baselines always in, tests that know of overlapping folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.errors import InvalidInput, unknown_name
from ganglion.evaluation.bootstrap import Estimate, percentile_interval
from ganglion.evaluation.comparison import Comparison
from ganglion.evaluation.contest import Answer, Contest, contest_of, named
from ganglion.evaluation.folds import Folds, folds_of
from ganglion.evaluation.growth import SHARES, growths, has_curves
from ganglion.evaluation.held_out import Scored, metric_for, scored
from ganglion.evaluation.inputs import check_resamples, split_target
from ganglion.evaluation.metrics import Metric
from ganglion.evaluation.more_rows import Growth, MoreRows, gain_of_twice, rows_until_better
from ganglion.evaluation.paired import LEVEL, Pair, compare_pairs, standard_error
from ganglion.evaluation.progress import Progress, Say, say_on_stderr
from ganglion.evaluation.recommendation import Entry, Recommendation, recommend
from ganglion.evaluation.verdict import label_in_text


def compare(
    models: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any = None,
    groups: Any = None,
    n_repeats: int | None = None,
    metric: str | None = None,
    baselines: bool = True,
    learning_curve: bool = True,
    n_bootstrap: int = 1000,
    random_state: int = 0,
    progress: bool | Say = True,
) -> Comparison:
    """Fit models to the same folds and say which to take, whether that is shown, and what more rows would change.

    Two models are told apart if the corrected resampled t-test says so (Nadeau & Bengio 2003),

        t = mean(d) / sqrt((1 / J + n_test / n_train) var(d)),   d_j their difference in fold j of J,

    at 5 % after Holm's correction, for all pairs with the majority class or mean and for all others, and the 95 %
    interval of the difference, from a bootstrap of the held-out rows, does not hold 0.

    Parameters
    ----------
    models : estimator, list of estimators, or dict of str to estimator
        Classifiers, or regressors, of Ganglion, scikit-learn, or with their contract; pipelines too. Clones of them are
        fitted in each fold: nothing that one learned before is used.
    X : Dataset, ndarray, frame, or list
        Tables, images, texts, sequences or recordings, as `fit` takes them.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), optional
        Labels or numbers. Not needed when X is a `Dataset` that knows its target.
    cv : int, "time", splitter of scikit-learn, or list of (rows to learn from, rows held out), optional
        Without: 5 folds of rows at random, classes in equal shares. "time" holds out what comes later in X.
    groups : array-like of shape (n_rows,), or name of a column of X, optional
        Rows of one group (a patient, a customer) stay on one side. A column that is named is not learned from.
    n_repeats : int, optional
        How often the rows are dealt out anew. Without: 3 times up to 2,000 rows, twice up to 20,000, else once.
    metric : str, optional
        By which to judge, as "roc_auc" or "mae". Without: as in reports, accuracy, where one class prevails ROC AUC;
        RMSE of numbers.
    baselines : bool
        Whether majority or mean, a linear model and boosted trees take part.
    learning_curve : bool
        Whether all are also fitted to a sixteenth, an eighth, a quarter and a half of the rows, which takes about as
        long as one round of folds.
    n_bootstrap : int
        Resamples behind each interval, 40 or more.
    random_state : int
        Of folds, baselines and resamples. Models keep their own.
    progress : bool or callable
        Whether lines of progress go to stderr; a callable is given each line.

    Returns
    -------
    Comparison
        Printable; `.plot()`, `.to_html(path)`, `.to_dict()`.

    Raises
    ------
    InvalidInput
        If models, X and y do not fit one another, or there are too few rows.
    InvalidParameter
        If `cv`, `n_repeats`, `metric` or `n_bootstrap` is not allowed.

    References
    ----------
    Nadeau & Bengio 2003, "Inference for the generalization error", Machine Learning 52, 239-281.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_iris(return_X_y=True)
    >>> found = compare(GaussianNB(), X, y, n_repeats=1, learning_curve=False, n_bootstrap=100, progress=False)
    >>> found.take
    'logistic regression'
    """
    n_bootstrap = check_resamples(n_bootstrap)
    models = named(models)
    X, y = split_target(next(iter(models.values())), X, y)
    X, groups = _groups(X, groups)
    contest = contest_of(models, X, y, baselines=baselines, seed=random_state)
    folds = folds_of(contest.truth, cv=cv, n_repeats=n_repeats, groups=groups, seed=random_state)
    curved = learning_curve and has_curves(folds)
    contest.warn_of_suspicions()
    work = len(folds.pairs) + (len(folds.first_round) * sum(SHARES[:-1]) if curved else 0.0)
    say: Say | None = say_on_stderr if progress is True else progress or None
    bar = Progress(work, say)
    answers = _run(contest, folds, metric, bar)
    judged = metric_for(contest.truth, answers[0], metric)
    found = scored(contest.truth, folds, answers, judged, n_bootstrap=n_bootstrap, seed=random_state)
    sign = judged.higher_is_better
    entries = _entries(answers, found)
    guess = next((each.name for each in entries if each.is_baseline), "")  # the simplest comes first
    pairs = compare_pairs(found.by_fold, found.samples, test_share=folds.test_share, higher_is_better=sign, guess=guess)
    advice = recommend(entries, pairs, judged)
    best_first = tuple(sorted(entries, key=lambda each: (each.score.value or 0.0) * (-1 if sign else 1)))
    grown = growths(contest, folds, answers, judged, seed=random_state, bar=bar) if curved else {}
    return Comparison(
        task=contest.truth.task,
        metric=judged,
        n_rows=len(contest.truth),
        entries=best_first,
        pairs=pairs,
        recommendation=advice,
        curves=tuple(grown[each.name].curve for each in best_first) if grown else (),
        more_rows=_more_rows(advice, grown, pairs, found, folds, judged, len(contest.truth)) if grown else None,
        facts=_facts(contest, folds, found, random_state),
        notes=tuple(_notes(contest, folds, found, learning_curve, curved)),
    )


def _groups(X: Any, groups: Any) -> tuple[Any, Any]:
    """Return X and the group of each row; a column of X that is named is taken out of it."""
    if not isinstance(groups, str):
        return X, groups
    data = as_dataset(X)
    if groups not in data.names:
        raise unknown_name("column", groups, data.names)
    values = data.values(groups)
    if isinstance(X, Dataset) or not hasattr(X, "columns"):
        return data.drop([groups]), values
    return X[[name for name in X.columns if name != groups]], values


def _run(contest: Contest, folds: Folds, metric: str | None, bar: Progress) -> list[list[Answer]]:
    """Ask all contenders in all folds; a metric that does not exist is refused after the first."""
    answers: list[list[Answer]] = []
    for k, (learned, held) in enumerate(folds.pairs, start=1):
        if len(np.unique(contest.truth.values[learned])) < 2:
            raise InvalidInput(f"the rows to learn from in fold {k} all have one answer. Give other folds as cv=….")
        answers.append(contest.run(learned, held))
        metric_for(contest.truth, answers[0], metric)
        bar.step(1.0, f"fold {k} of {len(folds.pairs)}")
    return answers


def _entries(answers: Sequence[Sequence[Answer]], found: Scored) -> list[Entry]:
    entries = []
    for i, each in enumerate(answers[0]):
        scores = found.by_fold[each.name]
        estimate = Estimate(float(scores.mean()), *percentile_interval(found.samples[each.name]))
        seconds = float(np.mean([fold[i].seconds for fold in answers]))
        by_fold = tuple(map(float, scores))
        entries.append(Entry(each.name, estimate, by_fold, seconds, each.is_baseline, each.is_deep, each.note))
    return entries


def _more_rows(
    advice: Recommendation,
    grown: dict[str, Growth],
    pairs: Sequence[Pair],
    found: Scored,
    folds: Folds,
    metric: Metric,
    n_rows: int,
) -> MoreRows:
    if not advice.challenger:
        sign = 1.0 if metric.higher_is_better else -1.0
        return gain_of_twice(grown[advice.take], metric=label_in_text(metric), sign=sign)
    pair = next(each for each in pairs if {each.first, each.second} == {advice.challenger, advice.take})
    corrected = LEVEL * max(pair.p, 1e-12) / max(pair.p_corrected, 1e-12)
    differences = found.by_fold[advice.challenger] - found.by_fold[advice.take]
    return rows_until_better(
        grown[advice.challenger],
        grown[advice.take],
        n_rows=n_rows,
        n_folds=len(differences),
        error=standard_error(differences, folds.test_share),
        level=max(corrected, LEVEL / len(pairs)),
    )


def _facts(contest: Contest, folds: Folds, found: Scored, seed: int) -> dict[str, str]:
    drawn = {"groups": "groups", "time": "stretches of neighbouring rows"}.get(folds.order, "rows")
    return {
        "Rows": f"{len(contest.truth):,}, {folds.n_learned:,.0f} of them learned from in a fold",
        "Folds": folds.about,
        "Scores": "means over the folds, each judged for itself",
        "Intervals": f"95 % bootstrap of the held-out {drawn}, {found.n_resamples:,} resamples, seed {seed}",
        "Test": "corrected resampled t-test (Nadeau & Bengio 2003), Holm's correction for all pairs with the majority "
        "class or mean, and for all others",
    }


def _notes(contest: Contest, folds: Folds, found: Scored, wanted: bool, curved: bool) -> list[str]:
    notes = []
    counts = np.bincount(contest.truth.values) if contest.labels is not None else np.array([len(contest.truth)])
    rare = [contest.truth.classes[k] for k in np.flatnonzero(counts < len(folds.first_round))]
    if rare and contest.labels is not None:
        notes.append(f"Too few rows for all folds to have them: {', '.join(rare[:10])}.")
    if found.left_out:
        notes.append(f"In {found.left_out} folds the metric is not defined; they are left out.")
    if wanted and not curved:
        notes.append("No learning curve: in these folds the rows learned from differ in number, or in their time.")
    if folds.order == "rows" and folds.n_repeats == 1 and len(folds.pairs) <= 5:
        notes.append("One round of folds shows large differences only; n_repeats=2 shows smaller ones.")
    return notes
