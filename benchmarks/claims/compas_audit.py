"""COMPAS: the error rates that ProPublica published in 2016, from `audit_scores` alone."""

from __future__ import annotations

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped
from ganglion.data.public import find
from ganglion.data.read import read
from ganglion.errors import InvalidFile
from ganglion.fairness.audit import audit_scores

# Angwin et al. 2016, "Machine bias", table "Prediction fails differently for black defendants"
PUBLISHED = {
    ("fpr", "African-American"): 0.449,
    ("fpr", "Caucasian"): 0.235,
    ("fnr", "African-American"): 0.280,
    ("fnr", "Caucasian"): 0.477,
}
ROUNDING = 0.001  # figures of one decimal of a percent, some of them cut and some rounded


def claim() -> Claim:
    """Audit all rows of the two-year file by race; Medium and High are predictions that a defendant offends again."""
    try:
        data = read(find("compas/compas-scores-two-years.csv"))
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    said = np.isin(data.values("score_text").astype(str), ["Medium", "High"]).astype(int)
    true = np.asarray(data.values("two_year_recid")).astype(int)
    found = audit_scores(true, said, "race", X=data, name="COMPAS")
    section = found.section("race")
    figures = []
    for (rate, group), published in PUBLISHED.items():
        estimate = section.group(group).rates[rate]
        off = abs((estimate.value or 0.0) - published)
        figures.append(
            Figure(
                f"{rate.upper()} of {group}: {estimate.value:.4f}, distance to the published",
                off,
                off,
                off,
                target=ROUNDING,
                paper=f"{published:.1%}",
                lower_is_better=True,
            )
        )
    return Claim(
        name="compas_audit",
        data=f"ProPublica's two-year file, all {found.n_rows:,} rows; score_text Medium or High is the prediction.",
        settings="audit_scores(two_year_recid, prediction, 'race'), all else as it comes.",
        reference="Angwin, Larson, Mattu & Kirchner 2016, ProPublica, and its notebook (44.85, 23.45, 27.99, 47.72 %).",
        figures=figures,
        details={"audit": found.to_dict()},
    )
