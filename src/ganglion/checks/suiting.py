"""Whom a check suits, read off an algorithm's tags."""

from __future__ import annotations

from ganglion.data.task import ALONE
from ganglion.estimators.base import Tags


def always(tags: Tags) -> bool:
    """Return True: the check suits every estimator."""
    return True


def reads_tables(tags: Tags) -> bool:
    """Return whether the check's tables suit the estimator."""
    return "table" in tags.modalities


def reads_images(tags: Tags) -> bool:
    """Return whether the check's images suit the estimator."""
    return "image" in tags.modalities


def reads_texts(tags: Tags) -> bool:
    """Return whether the check's texts, each with a class or a number, suit the estimator."""
    return "text" in tags.modalities and tags.task in ("classification", "regression")


def has_target(tags: Tags) -> bool:
    """Return whether there is a target to learn beside X."""
    return tags.task not in ALONE and "series" not in tags.modalities


def reads_texts_alone(tags: Tags) -> bool:
    """Return whether the estimator reads texts and nothing else."""
    return tags.modalities == ("text",)


def reads_music(tags: Tags) -> bool:
    """Return whether the estimator reads pieces of music."""
    return "music" in tags.modalities


def hears(tags: Tags) -> bool:
    """Return whether the estimator reads recordings."""
    return "audio" in tags.modalities


def hears_alone(tags: Tags) -> bool:
    """Return whether the estimator reads recordings and nothing else."""
    return tags.modalities == ("audio",)


def reads_numbers(tags: Tags) -> bool:
    """Return whether the estimator reads numbers, of tables, pictures, sequences or series."""
    return bool({"table", "image", "sequence", "series"} & {*tags.modalities})


def answers_rows(tags: Tags) -> bool:
    """Return whether rows are samples, each with an answer of its own, and not the steps of series."""
    return "series" not in tags.modalities


def detects(tags: Tags) -> bool:
    """Return whether it is told which steps of series are strange."""
    return tags.task == "anomaly_detection"


def forecasts(tags: Tags) -> bool:
    """Return whether the next steps of series are answered."""
    return tags.task == "forecasting"


def reads_arrays(tags: Tags) -> bool:
    """Return whether the estimator reads arrays of numbers, or of keys that sound."""
    return reads_numbers(tags) or reads_music(tags)


def generates(tags: Tags) -> bool:
    """Return whether new data like those of training are made."""
    return tags.task == "generation"


def has_codes(tags: Tags) -> bool:
    """Return whether samples are said again from codes."""
    return tags.task == "reconstruction"


def classifies(tags: Tags) -> bool:
    """Return whether classes are learned."""
    return tags.task == "classification"


def by_gradients(tags: Tags) -> bool:
    """Return whether the loop of `ganglion.training` trains it."""
    return tags.gradients


def regresses_by_gradients(tags: Tags) -> bool:
    """Return whether that loop trains it to say numbers."""
    return tags.gradients and tags.task == "regression"


def takes_several_labels(tags: Tags) -> bool:
    """Return whether labels may occur together."""
    return tags.multilabel


def takes_several_numbers(tags: Tags) -> bool:
    """Return whether several numbers may be learned."""
    return tags.multioutput
