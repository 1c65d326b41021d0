"""What is said of more than rows, as JSON can hold it: masks, objects, labels of words, steps to come; masks as PNG.

task            of each picture, text or series
segmentation    its mask in the picture's own pixels, row by row, in runs of one label: how long each is; the share of
                each class. numpy: repeat(labels, lengths).reshape(shape)
detection       its objects, the surest first: label, score and box (left, top, right, bottom), in its own pixels
tagging         a label each word or step, and the probability of that label; of texts the words too
forecasting     a row a step to come, with its time and quantiles
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ganglion.data.image_files import load_pillow
from ganglion.data.resizing import Placement, Resize, place
from ganglion.deployment.said import Answers, as_columns
from ganglion.deployment.serving.served import Asked
from ganglion.deployment.signature import Signature
from ganglion.deployment.windows import times_ahead

PLURAL = {"prediction": "predictions", "score": "scores", "deviation": "deviations"}
_COLOURS = np.array([0x000000, 0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0x0072B2, 0xD55E00, 0xCC79A7])  # Okabe and Ito
_LEVELS = 256


def _masks(asked: Asked, answer: Answers) -> dict[str, Any]:
    signature = asked.backend.signature
    return {"predictions": [_runs(mask, signature) for mask in _own_masks(asked, answer)], "classes": signature.classes}


def _own_masks(asked: Asked, answer: Answers) -> list[np.ndarray]:
    """Return masks in the size of each picture: of those that were resized, the pixel that each one went to."""
    signature = asked.backend.signature
    masks = [np.asarray(mask) for mask in answer["prediction"]]
    if signature.any_size:
        return masks
    return [_taken_back(mask, size, _placed(signature, size)) for mask, size in zip(masks, asked.sizes, strict=True)]


def _placed(signature: Signature, size: tuple[int, int]) -> Placement:
    height, width = (int(each) for each in signature.inputs[0].shape[1:3])
    return place(size, (height, width), cast(Resize, signature.resize or "stretch"))


def _taken_back(mask: np.ndarray, size: tuple[int, int], placed: Placement) -> np.ndarray:
    rows, columns = (np.arange(n) + 0.5 for n in size)
    across = placed.moved(np.stack([columns, columns * 0, columns, columns * 0], 1))[:, 0]
    down = placed.moved(np.stack([rows * 0, rows, rows * 0, rows], 1))[:, 1]
    places = [np.minimum(each.astype(np.int64), n - 1) for each, n in ((down, len(mask)), (across, mask.shape[1]))]
    return mask[np.ix_(*places)]


def _runs(mask: np.ndarray, signature: Signature) -> dict[str, Any]:
    flat = mask.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    labels, lengths = flat[starts], np.diff(starts, append=len(flat))
    shares = [float(lengths[labels == each].sum()) / len(flat) for each in signature.labels]
    return {"shape": list(mask.shape), "labels": labels.tolist(), "lengths": lengths.tolist(), "shares": shares}


def mask_png(asked: Asked, answer: Answers) -> bytes:
    """Return the mask of the first picture as a PNG with a palette, in the picture's own size.

    A pixel is the label of its class where labels are whole numbers from 0 to 255, else the place of the label among
    the classes; each has a colour.
    """
    signature = asked.backend.signature
    mask = _own_masks(asked, answer)[0]
    labels = signature.labels
    if labels.dtype.kind not in "ui" or labels.min() < 0 or labels.max() >= _LEVELS:
        mask = np.searchsorted(labels, mask)
    Image = load_pillow("Writing masks as pictures")
    picture = Image.fromarray(np.ascontiguousarray(mask, dtype=np.uint8))
    colours = np.resize(_COLOURS, _LEVELS)
    picture.putpalette(np.stack([colours >> 16, colours >> 8 & 255, colours & 255], 1).astype(np.uint8).tobytes())
    raw = io.BytesIO()
    picture.save(raw, "PNG")
    return raw.getvalue()


def _objects(asked: Asked, answer: Answers) -> dict[str, Any]:
    signature = asked.backend.signature
    found = []
    for i, (labels, scores, boxes) in enumerate(
        zip(answer["prediction"], answer["confidence"], answer["boxes"], strict=True)
    ):
        corners = np.asarray(boxes)
        if asked.sizes and not signature.any_size:
            height, width = asked.sizes[i]
            corners = _placed(signature, asked.sizes[i]).moved_back(corners).clip(0, [width, height, width, height])
        parts = zip(labels.tolist(), scores.tolist(), corners.tolist(), strict=True)
        found.append([{"label": label, "score": score, "box": box} for label, score, box in parts])
    return {"predictions": found, "classes": signature.classes}


def _tags(asked: Asked, answer: Answers) -> dict[str, Any]:
    signature = asked.backend.signature
    labels = [row.tolist() for row in answer["prediction"]]
    shares = [row.max(axis=1).tolist() for row in answer["probabilities"]]
    words = [column.tolist() for column in (asked.columns or {}).values()] if signature.modality == "text" else []
    return {"predictions": labels, "probabilities": shares, **({"words": words[0]} if words else {})}


def _ahead(asked: Asked, answer: Answers) -> dict[str, Any]:
    signature = asked.backend.signature
    columns = as_columns(signature, answer, probabilities=False)
    horizon = int(columns["step"][-1])
    names, times = times_ahead(signature, asked.columns or {}, horizon)
    lists: dict[str, list[Any]] = {name: column.tolist() for name, column in columns.items() if name != "series"}
    if times is not None:
        lists = {"time": times, **lists}
    if signature.series["series"]:
        lists = {"series": [name for name in names for _ in range(horizon)], **lists}
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]}


TOLD: dict[str, Callable[[Asked, Answers], dict[str, Any]]] = {
    "segmentation": _masks,
    "detection": _objects,
    "tagging": _tags,
    "forecasting": _ahead,
}
