"""What an exported model takes and gives, as data: written into its file, and all that its users need to know.

    kind of input  values                                                          shape, N rows
    numeric        a number, NaN where it is missing                               (N, 1) float64
    boolean        1 or 0, NaN where it is missing                                 (N, 1) float64
    date           seconds since 1970-01-01 UTC, NaN where it is missing           (N, 1) float64
    categorical    a text; "" where it is missing, which counts as one never seen  (N, 1) string
    numbers        the columns of an array side by side                            (N, d) float64
    image          pixels, channels last; the graph brings them to `size`          (N, H, W, channels)
    tokens         ids of tokens, 0 behind the end of a text                       (N, T) int64
    sequence       steps of numbers, anything behind the end of a sequence         (N, T, d) float64
    length         how many tokens or steps of each count, 1 or more               (N,) int64

    role of output  values
    label           the class, as training named it; of several labels zeros and ones, (N, n_labels); of every pixel
                    (N, height, width); of every step (N, T); -1 of an outlier, 1 of what is none
    probabilities   of each class, (N, n_classes), in the order of `classes`; of pixels (N, n_classes, height, width);
                    of steps (N, T, n_classes)
    scores          where an algorithm knows no probabilities: above 0 (of two classes), or the largest, wins
    prediction      the number, (N,), or numbers, (N, n_targets), in the target's units; of forecasts (N, horizon) or
                    (N, horizon, n_targets)
    quantiles       of each number of a forecast, (…, n_levels), in the order of `levels`
    deviation       the standard deviation of each prediction
    score           how usual a row is, (N,): below 0 it is an outlier
    boxes           left, top, right, bottom in pixels of the picture, (N, n, 4), the surest first
    confidence      how sure each box is, (N, n); 0 where there is none
    codes           what a row is coded in, (N, n_codes)
    tokens          ids of the tokens of a transcript, (N, S), 0 behind its end; S steps, fewer than samples
    steps           how many steps of a recording count, (N,); probabilities of tokens are (N, S, n_tokens)

Nothing here imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ganglion.data.tokenizers import tokenizer_from_json
from ganglion.data.vocabulary import Tokenizer
from ganglion.data.word_looks import numbered_looks
from ganglion.errors import InvalidModel

FORMAT = 3  # 1 knew classes and numbers of rows alone, and no recordings; 2 pictures of the size of training alone
INPUT_KINDS = (
    *("numeric", "boolean", "date", "categorical", "numbers", "image"),
    *("tokens", "text", "words", "sequence", "audio", "length", "history", "ahead"),
)
ROLES = (
    *("label", "probabilities", "scores", "prediction", "deviation"),
    *("quantiles", "score", "codes", "boxes", "confidence"),
    *("tokens", "steps"),
)
BLOCK = "X"  # what the one input is called where columns have no names
ROWS = ("classification", "regression")  # tasks whose models answer a row with one label or a few numbers
_CLASSES: dict[str, tuple[type, type]] = {
    "str": (str, np.str_),
    "int": (int, np.int64),
    "uint8": (int, np.uint8),
    "float": (float, np.float64),
    "bool": (bool, np.bool_),
}

Shape = tuple[int | str, ...]  # axes of any length have names: "N" rows, "T" steps, "H" and "W" pixels


@dataclass(frozen=True, slots=True)
class Input:
    """One input of the graph.

    Attributes
    ----------
    name : str
        A column's own name, where there are columns.
    kind : str
        See the table at the top of the module.
    dtype : str
        As numpy names it; "string" for texts.
    shape : tuple of int or str
    categories : tuple of str
        The values that training knew, of a categorical input.
    typical : tuple of float
        Where most numbers of training lay, nine tenths of them; empty where that is not known.
    rate : int
        Samples a second of recordings, to which others are brought; else 0.
    size : tuple of int
        (height, width) to which the graph brings bytes of pictures of other sizes, by the signature's `resize`; else
        empty.
    """

    name: str
    kind: str
    dtype: str
    shape: Shape
    categories: tuple[str, ...] = ()
    typical: tuple[float, ...] = ()
    rate: int = 0
    size: tuple[int, ...] = ()

    @property
    def brought(self) -> Input:
        """The input as the network has it: of pictures that are brought to a size those of that size."""
        return replace(self, shape=(self.shape[0], *self.size, self.shape[3]), size=()) if self.size else self

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width of the pictures that the network has; None where it has any, or none at all."""
        sides = self.brought.shape[1:3]
        return (int(sides[0]), int(sides[1])) if self.kind == "image" and "H" not in sides else None

    @property
    def stem(self) -> str:
        """The name of the column as it is read: x, where columns have no names."""
        return "x" if self.name == BLOCK and self.kind == "numbers" else self.name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns: a block of numbers has several."""
        if self.kind != "numbers":
            return (self.name,)
        return tuple(f"{self.stem}{i}" for i in range(int(self.shape[1])))


@dataclass(frozen=True, slots=True)
class Output:
    """One output of the graph: its name, its role (see the table at the top of the module), type and shape."""

    name: str
    role: str
    dtype: str
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What an exported model takes and gives.

    Attributes
    ----------
    estimator : str
        The algorithm that trained it.
    task : str
        "classification", "regression", …: see `deployment.kinds`.
    modality : str
        "table", "image", "text", "sequence" or "audio".
    target : str
        The name of what is predicted, or "".
    inputs, outputs : tuple of Input, tuple of Output
    classes : tuple
        The labels, in the order of "probabilities"; empty for numbers.
    class_kind : str
        What they are: "str", "int", "uint8", "float", "bool"; "" for numbers.
    multilabel : bool
        Whether a row may have several labels.
    tokenizer : dict
        How texts are cut, for models of texts, or what is said, for those of speech: all that makes the same tokenizer
        again; else empty.
    columns : tuple of str
        The columns of text, which are joined by a new line; of series those of "history".
    levels : tuple of float
        Of the quantiles.
    series : dict
        Of models of series the columns of "time" and of names of "series", "" where there are none, the "grid" of
        times, how many columns are "targets", how many of the last ones are "fixed", the same at every step of a
        series, and which hold "labels", if any; these no graph reads.
    settings : dict
        Options when it was exported: of detectors "score_threshold", "nms_iou" and "max_detections", of recognizers of
        speech "beams". Of models of pictures of any size "height" and "width", to which files are brought.
    longest : int
        Tokens of a text, or steps of a sequence, that may be given at most; 0 for no limit.
    resize : str
        How pictures of other sizes are brought to that of training, see `data.resizing`; "" for other data.
    ganglion : str
        The version that exported it.
    """

    estimator: str
    task: str
    modality: str
    target: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    classes: tuple[Any, ...] = ()
    class_kind: str = ""
    multilabel: bool = False
    tokenizer: dict[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    series: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, float] = field(default_factory=dict)
    longest: int = 0
    resize: str = ""
    ganglion: str = ""

    def output(self, role: str) -> Output | None:
        """Return the output of a role, or None if there is none."""
        return next((each for each in self.outputs if each.role == role), None)

    @property
    def given(self) -> tuple[Input, ...]:
        """What users give, under its names: columns, where there are some; else one text, picture or recording a row.

        A graph may take more of it (lengths), or something else (ids of tokens, windows of series).
        """
        if self.modality == "table":
            return self.inputs
        if self.modality == "text":
            return tuple(Input(name or "text", "text", "string", ("N",)) for name in self.columns or ("text",))
        if self.modality != "series":
            return tuple(each for each in self.inputs if each.kind != "length")
        labels = {*self.series.get("labels", ()), self.series["series"]}
        named = [name for name in (self.series["time"], self.series["series"]) if name]
        kinds = {name: "categorical" if name in labels else "numeric" for name in (*named, *self.columns)}
        if self.series["grid"]["dated"]:
            kinds[self.series["time"]] = "date"
        return tuple(
            Input(name, kind, "string" if kind == "categorical" else "float64", ("N",)) for name, kind in kinds.items()
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns that users give, in order."""
        return tuple(name for each in self.given for name in each.names)

    @property
    def any_size(self) -> bool:
        """Whether pictures are answered in any height and width that they have."""
        return self.modality == "image" and self.inputs[0].sides is None

    @property
    def brought(self) -> Signature:
        """The signature of who brings pictures to the size of training before the graph would."""
        resized = any(each.size for each in self.inputs)
        return replace(self, inputs=tuple(each.brought for each in self.inputs)) if resized else self

    @property
    def written(self) -> Signature:
        """The signature of who writes down what was said, and does not tell of its tokens."""
        if self.task != "speech_recognition":
            return self
        return replace(self, outputs=(Output("prediction", "prediction", "string", ("N",)),))

    @property
    def labels(self) -> np.ndarray:
        """The classes as an array of their own type, (n_classes,)."""
        return np.array(self.classes, dtype=_CLASSES[self.class_kind][1] if self.class_kind else object)

    @cached_property
    def cutter(self) -> Tokenizer:
        """What cuts texts into tokens, made once of what is stored; a flaw of that raises InvalidModel."""
        return tokenizer_from_json(self.tokenizer)

    @cached_property
    def looks(self) -> list[dict[str, int]]:
        """The ids of the looks of words, of taggers of words."""
        return numbered_looks(self.tokenizer["vocabularies"])

    def to_json(self) -> str:
        """Return the signature as text, which `from_json` reads."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """Read a signature, believing nothing: any flaw raises InvalidModel."""
        try:
            stored = json.loads(text)
            if type(stored["format"]) is not int or not 1 <= stored["format"] <= FORMAT:
                raise InvalidModel(
                    f"the file's signature has format {stored['format']!r:.20}, but this version of Ganglion reads "
                    f"{FORMAT}. Install a newer one: pip install --upgrade ganglion."
                )
            signature = cls(**{name: _frozen(value) for name, value in stored.items() if name != "format"})
            _check(signature)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            if isinstance(error, InvalidModel):
                raise
            raise InvalidModel(f"the file's signature is damaged ({error}). Export the model again.") from error
        return signature


def _frozen(value: Any) -> Any:
    """Return a part of stored JSON as a signature has it."""
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], Mapping):
        kind = Input if "kind" in value[0] else Output
        return tuple(kind(**{name: _frozen(part) for name, part in each.items()}) for each in value)
    return tuple(value)


def _are_sides(size: Any) -> bool:
    return type(size) is tuple and len(size) == 2 and all(type(side) is int and side > 0 for side in size)


def _check(signature: Signature) -> None:
    texts = (
        *(signature.estimator, signature.task, signature.modality, signature.target),
        *(signature.resize, signature.ganglion),
    )
    if not all(isinstance(each, str) for each in texts) or type(signature.multilabel) is not bool:
        raise ValueError("its names")
    for each in signature.inputs:
        known = all(isinstance(label, str) for label in each.categories)
        known = known and type(each.rate) is int and each.rate >= 0
        known = known and (not each.size or (each.kind == "image" and _are_sides(each.size) and len(each.shape) == 4))
        if not isinstance(each.name, str) or each.kind not in INPUT_KINDS or not known:
            raise ValueError(f"the input {each.name!r:.40}")
    for each in signature.outputs:
        if not isinstance(each.name, str) or each.role not in ROLES:
            raise ValueError(f"the output {each.name!r:.40}")
    kind = _CLASSES[signature.class_kind][0] if signature.class_kind else object
    if not all(type(each) is kind for each in signature.classes) or (signature.classes and kind is object):
        raise ValueError("its classes")
    if type(signature.longest) is not int or not all(isinstance(name, str) for name in signature.columns):
        raise ValueError("its columns")
    if signature.tokenizer:  # made now, so that a flaw is told before anything is asked
        _ = signature.looks if signature.task == "tagging" else signature.cutter
