"""What the claims of classifiers of texts have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.claims import Claim, Figure, Skipped, wilson
from ganglion.algorithms.text_cnn import TextCNN
from ganglion.errors import InvalidFile

Part = tuple[list[str], np.ndarray]
Read = Callable[[], Sequence[Part]]
SEEDS = 3


def accuracy_of_ensemble(
    name: str,
    read: Read,
    members: Sequence[dict[str, Any]],
    *,
    described: str,
    chosen: str,
    reference: str,
    target: float,
    paper: str,
) -> Claim:
    """Train networks that read texts in different ways, add up their log-probabilities, and measure on the test set.

    Beside it stands what one network has as it comes, the mean of several seeds.
    """
    try:
        (texts, labels), (test_texts, test_labels) = read()
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    plain, total, alone = [], np.zeros(()), []
    for seed in range(SEEDS):
        model = TextCNN(random_state=seed, threads=1).fit(texts, labels)
        plain.append(float((model.predict(test_texts) == test_labels).mean()))
    for seed, options in enumerate(members):
        model = TextCNN(**options, random_state=seed).fit(texts, labels)
        shares = model.predict_proba(test_texts)
        alone.append(float((model.classes_[shares.argmax(1)] == test_labels).mean()))
        total = total + np.log(np.maximum(shares, 1e-9))
    accuracy = float((model.classes_[total.argmax(1)] == test_labels).mean())
    n = len(test_labels)
    return Claim(
        name=name,
        data=described,
        settings=f"{len(members)} TextCNNs that cut texts in different ways, their log-probabilities added up; all "
        f"were trained on the training sentences alone. {chosen} One TextCNN as it comes: mean of {SEEDS} seeds "
        f"{fmean(plain):.3f} ({', '.join(f'{each:.3f}' for each in plain)}). Interval: the sampling of the test "
        "sentences (Wilson).",
        reference=reference,
        figures=[Figure("accuracy", accuracy, *wilson(accuracy, n), target=target, paper=paper)],
        details={"members": [dict(each) for each in members], "members_alone": alone, "as_it_comes": plain},
    )
