"""What each kind of task does in its own way, in one table: adding a kind is adding a line.

rows           labels or numbers, one row of X each                              the other files of this room
segmentation   a class of every pixel                                            segmentation.py
detection      boxes around objects                                              detection.py
language_modelling   how likely texts are                                        language.py
music_modelling      how likely pieces of music are                              music.py
tagging        a label of every word                                             tagging.py
translation    a text that answers a text                                        translation.py
forecasting    the next steps of series                                          forecasting.py
anomaly_detection    which steps of series are strange                           anomalies.py
speech_recognition   what is said in recordings                                  transcription.py
generation, reconstruction   new rows like these; these rows again               generation.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from sklearn.metrics import confusion_matrix

from ganglion.data.boxes import holds_boxes
from ganglion.data.task import holds_lists
from ganglion.drawing.svg import Chart
from ganglion.evaluation.anomalies import (
    alarm_charts,
    alarm_facts,
    alarm_values,
    anomaly_truth,
    predict_alarms,
    resampled_alarm_metrics,
    shown_alarms,
)
from ganglion.evaluation.anomaly_baselines import run_anomaly_baselines
from ganglion.evaluation.baselines import Baseline, run_baselines
from ganglion.evaluation.box_baselines import run_box_baselines
from ganglion.evaluation.calibration import CalibrationBin, calibration_curve
from ganglion.evaluation.detection import (
    Curves,
    box_facts,
    box_truth,
    box_values,
    precision_recall,
    predict_boxes,
    present_boxes,
    resampled_box_metrics,
    worst_boxes,
)
from ganglion.evaluation.forecast_baselines import run_forecast_baselines
from ganglion.evaluation.forecasting import (
    forecast_charts,
    forecast_facts,
    forecast_truth,
    forecast_values,
    predict_steps,
    resampled_forecast_metrics,
    worst_forecasts,
)
from ganglion.evaluation.generation import (
    cost_in_rankings,
    deciding_metric,
    generation_facts,
    generation_values,
    imagine,
    informed_reality,
    reality,
    resampled_generation_metrics,
)
from ganglion.evaluation.generation_baselines import run_generation_baselines
from ganglion.evaluation.inputs import truth_of
from ganglion.evaluation.language import (
    passage_facts,
    passage_values,
    passages_of,
    predict_passages,
    resampled_passage_metrics,
    worst_passages,
)
from ganglion.evaluation.language_baselines import run_passage_baselines
from ganglion.evaluation.mask_baselines import run_mask_baselines
from ganglion.evaluation.metrics import Measured, Metric, metric_of, point_values
from ganglion.evaluation.mistakes import Mistake, worst_mistakes
from ganglion.evaluation.music import (
    piece_facts,
    piece_values,
    pieces_of,
    predict_pieces,
    resampled_piece_metrics,
    worst_passages_of,
)
from ganglion.evaluation.music_baselines import run_piece_baselines
from ganglion.evaluation.predictions import Predictions, Task, Truth, predict
from ganglion.evaluation.resampling import Resampled, resampled_metrics
from ganglion.evaluation.segmentation import (
    mask_facts,
    mask_truth,
    mask_values,
    predict_masks,
    resampled_mask_metrics,
    worst_masks,
)
from ganglion.evaluation.tag_baselines import run_tag_baselines
from ganglion.evaluation.tagging import (
    confused_tags,
    predict_tags,
    present_tags,
    resampled_tag_metrics,
    tag_facts,
    tag_truth,
    tag_values,
    with_unseen,
    worst_tags,
)
from ganglion.evaluation.transcription import (
    predict_transcripts,
    resampled_transcript_metrics,
    transcript_facts,
    transcript_truth,
    transcript_values,
    worst_transcripts,
)
from ganglion.evaluation.transcription_baselines import run_transcript_baselines
from ganglion.evaluation.translation import (
    predict_texts,
    resampled_text_metrics,
    text_facts,
    text_truth,
    text_values,
    worst_texts,
)
from ganglion.evaluation.translation_baselines import run_text_baselines
from ganglion.evaluation.verdict import headline_metric

Confusion = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a task is read, measured, raced against baselines, and told.

    Attributes
    ----------
    about : str
        What the task is, in words.
    unit : {"rows", "images", "passages", "sequences", "pieces", "origins", "blocks", "recordings"}
        What is counted, and drawn anew by the bootstrap.
    large : tuple of str
        Metrics that the page shows large.
    worst : str
        What the worst mistakes are, a heading.
    lead : str
        Which ones they are, and what to do with them.
    truth : (model, X, y, name of y) -> Truth
    predict : (model, X, truth) -> what the model said, in the form of the task
    values : (truth, said, weight) -> every metric, or the reason why it is not defined
    resampled : (truth, said) -> functions of the weights that give every metric of many resamples
    headline : (truth, measured) -> the metric that decides
    baselines : (truth, X, train=, weight=, random_state=) -> baselines
    mistakes : (truth, said, X) -> the worst ones, worst first
    facts : (truth, said) -> what a reader must know of the truth
    present : (truth) -> whether each class is true anywhere
    confusion, calibration : (truth, said) -> what its name says, or nothing
    curves : (truth, said) -> recall and precision of each class, by name
    n_rankings : (truth, said) -> what a resample costs, in rankings of the rows
    informed : (truth, X, train) -> the truth with what the training rows, (X_train, y_train), tell of it
    whole_texts : bool
        Whether answers are texts, to be read whole.
    follows : bool
        Whether evaluation rows follow the training rows, which are read from (`truth` takes them as `before`).
    charts : (truth, said) -> what else is drawn, by name
    """

    about: str
    unit: Literal["rows", "images", "passages", "sequences", "pieces", "origins", "blocks", "recordings"] = "rows"
    large: tuple[str, ...]
    worst: str = "Most confident mistakes"
    lead: str = "Where the model was surest and wrong. Look here first for wrong labels and blind spots."
    truth: Callable[..., Truth]
    predict: Callable[[Any, Any, Any], Any]
    values: Callable[[Any, Any, Any], Mapping[str, float | str]]
    resampled: Callable[[Any, Any], list[Resampled]]
    headline: Callable[[Any, Mapping[str, Measured]], Metric]
    baselines: Callable[..., list[Baseline]]
    mistakes: Callable[[Any, Any, Any], tuple[Mistake, ...]]
    facts: Callable[[Any, Any], Mapping[str, str]]
    present: Callable[[Any], Iterable[bool]] = lambda truth: (True for _ in truth.classes)
    confusion: Callable[[Any, Any], Confusion | None] = lambda truth, said: None
    calibration: Callable[[Any, Any], tuple[CalibrationBin, ...]] = lambda truth, said: ()
    curves: Callable[[Any, Any], Curves] = lambda truth, said: {}
    n_rankings: Callable[[Any, Any], int] = lambda truth, said: 1
    informed: Callable[[Any, Any, tuple[Any, Any]], Truth] = lambda truth, X, train: truth
    whole_texts: bool = False
    follows: bool = False
    charts: Callable[[Any, Any], dict[str, Chart]] = lambda truth, said: {}


def read_truth(model: Any, X: Any, y: Any, train: tuple[Any, Any] | None = None) -> Truth:
    """Return the true answers as the model's task has them: what its `tags.task` says, or else what y looks like."""
    task = getattr(getattr(model, "tags", None), "task", None)
    if task not in KINDS or task == "regression":
        task = "detection" if holds_boxes(y) else "tagging" if holds_lists(y) else None
        task = "segmentation" if task is None and np.ndim(y) == 3 else task
    kind = _ROWS if task is None else KINDS[task]
    if kind.follows and train is not None:
        return kind.truth(model, X, y, "y", before=train[0])
    return kind.truth(model, X, y, "y")


def _counted(truth: Truth, said: Predictions) -> Confusion:
    counts = confusion_matrix(truth.values, said.values, labels=np.arange(len(truth.classes)))
    return tuple(tuple(row) for row in counts.tolist())


def _calibrated(truth: Truth, said: Predictions) -> tuple[CalibrationBin, ...]:
    return () if said.probabilities is None else calibration_curve(truth.values, said.probabilities)


def _present(truth: Truth) -> list[bool]:
    return (np.bincount(truth.values.ravel(), minlength=len(truth.classes)) > 0).tolist()


def _class_facts(truth: Truth, said: Predictions) -> dict[str, str]:
    counts = np.bincount(truth.values, minlength=len(truth.classes))
    most = np.argsort(-counts, kind="stable")[:6]
    shares = ", ".join(f"{truth.classes[k]} {counts[k] / len(truth):.1%}" for k in most)
    return {"Classes": f"{len(truth.classes)}: {shares}" + (", …" if len(counts) > 6 else "")}


def _label_facts(truth: Truth, said: Predictions) -> dict[str, str]:
    return {"Labels": f"{len(truth.classes)}, {truth.values.sum(axis=1).mean():.2f} of them a row"}


def _number_facts(truth: Truth, said: Predictions) -> dict[str, str]:
    ranges = zip(truth.classes, truth.values.min(axis=0), truth.values.max(axis=0), strict=True)
    return {"Target": ", ".join(f"{name} from {low:.4g} to {high:.4g}" for name, low, high in list(ranges)[:4])}


_ROWS = Kind(
    about="several labels a row",
    large=("f1_micro", "f1_macro", "subset_accuracy", "roc_auc"),
    truth=truth_of,
    predict=predict,
    values=point_values,
    resampled=resampled_metrics,
    headline=headline_metric,
    baselines=run_baselines,
    mistakes=worst_mistakes,
    facts=_label_facts,
    n_rankings=lambda truth, said: len(truth.classes),
)
_CLASSES = replace(
    _ROWS,
    about="classification",
    large=("accuracy", "f1", "roc_auc", "calibration_error"),
    facts=_class_facts,
    present=_present,
    confusion=_counted,
    calibration=_calibrated,
)
_SEGMENTATION = Kind(
    about="segmentation: a class of every pixel",
    unit="images",
    large=("mean_iou", "pixel_accuracy", "mean_dice", "pixel_error"),
    worst="Worst images",
    lead="The images with the lowest mean IoU. Look here first for wrong masks and blind spots.",
    truth=mask_truth,
    predict=predict_masks,
    values=mask_values,
    resampled=resampled_mask_metrics,
    headline=lambda truth, measured: metric_of("segmentation", "mean_iou"),
    baselines=run_mask_baselines,
    mistakes=worst_masks,
    facts=mask_facts,
    present=_present,
    confusion=lambda truth, said: tuple(tuple(row) for row in said.counts.sum(axis=0).tolist()),
)
_DETECTION = Kind(
    about="detection: boxes around objects",
    unit="images",
    large=("map_50", "map_50_95", "precision", "recall"),
    worst="Worst images",
    lead="The images with the lowest F1 of found and true objects. Look here first for wrong boxes and blind spots.",
    truth=box_truth,
    predict=predict_boxes,
    values=box_values,
    resampled=resampled_box_metrics,
    headline=lambda truth, measured: metric_of("detection", "map_50"),
    baselines=run_box_baselines,
    mistakes=worst_boxes,
    facts=box_facts,
    present=present_boxes,
    curves=precision_recall,
    n_rankings=lambda truth, said: 1 + said.matches.right.size // len(truth),
)
_LANGUAGE = Kind(
    about="language modelling: what comes next in a text",
    unit="passages",
    large=("bits_per_character", "loss", "perplexity"),
    worst="Worst passages",
    lead="The passages that the model expected least, with the tokens marked that it expected least. Look here first "
    "for text of another kind.",
    truth=passages_of,
    predict=predict_passages,
    values=passage_values,
    resampled=resampled_passage_metrics,
    headline=lambda truth, measured: metric_of("language_modelling", "bits_per_character"),
    baselines=run_passage_baselines,
    mistakes=worst_passages,
    facts=passage_facts,
)
_MUSIC = Kind(
    about="music modelling: which chord comes next",
    unit="pieces",
    large=("loss", "accuracy"),
    worst="Least expected passages",
    lead="The passages that the model expected least, and in each the chord that it expected least: what is true, and "
    "what was expected. Look here first for music of another kind.",
    truth=pieces_of,
    predict=predict_pieces,
    values=piece_values,
    resampled=resampled_piece_metrics,
    headline=lambda truth, measured: metric_of("music_modelling", "loss"),
    baselines=run_piece_baselines,
    mistakes=worst_passages_of,
    facts=piece_facts,
)
_TAGGING = Kind(
    about="tagging: a label of every word",
    unit="sequences",
    large=("accuracy", "unseen_accuracy", "f1_macro", "sentence_accuracy"),
    lead="Where the model was surest of a wrong label: said, and in brackets what is true. Look here first for wrong "
    "labels and blind spots.",
    truth=tag_truth,
    predict=predict_tags,
    values=tag_values,
    resampled=resampled_tag_metrics,
    headline=lambda truth, measured: metric_of("tagging", "accuracy"),
    baselines=run_tag_baselines,
    mistakes=worst_tags,
    facts=tag_facts,
    present=present_tags,
    confusion=confused_tags,
    n_rankings=lambda truth, said: 1 + len(said.values) // len(truth) // 8,
    informed=lambda truth, X, train: with_unseen(truth, X, train[0]),
)
_TRANSLATION = Kind(
    about="texts that answer texts",
    large=("bleu", "chrf", "exact_match"),
    worst="Worst answers",
    lead="The answers with the lowest chrF. Look here first for wrong pairs and blind spots.",
    truth=text_truth,
    predict=predict_texts,
    values=text_values,
    resampled=resampled_text_metrics,
    headline=lambda truth, measured: metric_of("translation", "bleu"),
    baselines=run_text_baselines,
    mistakes=worst_texts,
    facts=text_facts,
    whole_texts=True,
)
_FORECASTING = Kind(
    about="forecasting: the next steps of series",
    unit="origins",
    large=("mase", "crps", "smape", "coverage"),
    worst="Worst forecasts",
    lead="The forecasts with the largest errors, against what came. Look here first for breaks that nothing announced.",
    truth=forecast_truth,
    predict=predict_steps,
    values=forecast_values,
    resampled=resampled_forecast_metrics,
    headline=lambda truth, measured: metric_of("forecasting", "mase"),
    baselines=run_forecast_baselines,
    mistakes=worst_forecasts,
    facts=forecast_facts,
    follows=True,
    charts=forecast_charts,
)
_ANOMALIES = Kind(
    about="anomaly detection: which steps of series are strange",
    unit="blocks",
    large=("average_precision", "precision", "recall", "false_alarm_rate", "alarm_rate"),
    worst="Missed anomalies, and alarms where none is known",
    lead="Anomalies without an alarm come first, then the alarms with the highest scores where no anomaly is known. "
    "Look here for wrong labels, and for what else happened.",
    truth=anomaly_truth,
    predict=predict_alarms,
    values=alarm_values,
    resampled=resampled_alarm_metrics,
    headline=lambda truth, measured: metric_of("anomaly_detection", "average_precision"),
    baselines=run_anomaly_baselines,
    mistakes=shown_alarms,
    facts=alarm_facts,
    present=lambda truth: (True, not truth.labelled or bool(truth.values.any())),
    n_rankings=lambda truth, said: 1 + len(truth.values) // len(truth),
    follows=True,
    charts=alarm_charts,
)
_SPEECH = Kind(
    about="speech recognition: what is said in recordings",
    unit="recordings",
    large=("word_error_rate", "character_error_rate", "exact_match"),
    worst="Worst transcripts",
    lead="The recordings with the most wrong words for their length: said, and in brackets what is true. Look here "
    "first for wrong transcripts and blind spots.",
    truth=transcript_truth,
    predict=predict_transcripts,
    values=transcript_values,
    resampled=resampled_transcript_metrics,
    headline=lambda truth, measured: metric_of("speech_recognition", "word_error_rate"),
    baselines=run_transcript_baselines,
    mistakes=worst_transcripts,
    facts=transcript_facts,
    whole_texts=True,
)
_GENERATION = Kind(
    about="generation: new rows like these",
    large=("frechet", "precision", "recall", "memorisation"),
    worst="",
    truth=reality,
    predict=imagine,
    values=generation_values,
    resampled=resampled_generation_metrics,
    headline=deciding_metric,
    baselines=run_generation_baselines,
    mistakes=lambda truth, said, X: (),
    facts=generation_facts,
    n_rankings=cost_in_rankings,
    informed=informed_reality,
    charts=lambda truth, said: said.shown or {},
)
KINDS: dict[Task, Kind] = {
    "binary": replace(
        _CLASSES,
        about="classification, two classes",
        large=("accuracy", "roc_auc", "f1", "calibration_error"),
        n_rankings=lambda truth, said: 1,
    ),
    "multiclass": _CLASSES,
    "multilabel": _ROWS,
    "regression": replace(
        _ROWS,
        about="regression",
        large=("rmse", "r2", "mae", "median_absolute_error"),
        worst="Largest errors",
        lead="The rows whose predictions are furthest from the truth. Look here first for wrong targets.",
        facts=_number_facts,
        n_rankings=lambda truth, said: 1,
    ),
    "segmentation": _SEGMENTATION,
    "detection": _DETECTION,
    "language_modelling": _LANGUAGE,
    "music_modelling": _MUSIC,
    "tagging": _TAGGING,
    "translation": _TRANSLATION,
    "forecasting": _FORECASTING,
    "anomaly_detection": _ANOMALIES,
    "speech_recognition": _SPEECH,
    "generation": _GENERATION,
    "reconstruction": replace(
        _GENERATION,
        about="reconstruction: a code of the data, and the data again from it",
        large=("reconstruction_error",),
        headline=lambda truth, measured: metric_of("reconstruction", "reconstruction_error"),
    ),
}
