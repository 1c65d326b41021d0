"""What each task answers: one entry says which outputs its graph has, how they come of a network, and who else says so.

    task             outputs, by role (see `signature`)
    classification   label, probabilities or scores
    regression       prediction, and deviation of normal targets
    segmentation     label and probabilities of every pixel
    tagging          label and probabilities of every step
    detection        boxes, confidence and label of the objects of a picture
    forecasting      prediction and quantiles of the steps to come
    reconstruction   label (-1 an outlier, 1 none), score, codes
    generation       codes, of what codes data besides making them
    speech           tokens of a transcript, probabilities of each step, and how many steps there are

A task with no entry here has no answer that one pass through a network is: `capability` says what to do instead.
"""

from __future__ import annotations

from typing import Any

from ganglion.deployment.kind import Kind
from ganglion.deployment.kind_ahead import FORECASTS
from ganglion.deployment.kind_boxes import BOXES
from ganglion.deployment.kind_codes import CODES, OUTLIERS
from ganglion.deployment.kind_places import MASKS, TAGS
from ganglion.deployment.kind_rows import CLASSES, NUMBERS
from ganglion.deployment.kind_speech import SPEECH

KINDS: dict[str, Kind] = {
    "classification": CLASSES,
    "regression": NUMBERS,
    "segmentation": MASKS,
    "tagging": TAGS,
    "detection": BOXES,
    "forecasting": FORECASTS,
    "reconstruction": OUTLIERS,
    "generation": CODES,
    "speech_recognition": SPEECH,
}


def kind_of(model: Any) -> Kind:
    """Return what a model answers; a KeyError where its task has no entry."""
    return KINDS[model.tags.task]
