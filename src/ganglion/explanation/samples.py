"""Samples of every modality as players: what may be left out of each, and what stands in its place.

modality   players                                      left out means
table      columns                                      the values of background rows
image      superpixels, or tiles of small pictures      the picture blurred; or background pictures
text       words, in long texts several together        the unknown word (our networks), or nothing at all
audio      stretches of time                            silence
sequence   stretches of the steps of each number        the mean of that number, or that of background sequences
series     stretches of the steps of each column        the mean of that column over the window: see `histories`
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ganglion.data.convert import as_dataset, holds_texts
from ganglion.data.ragged import Ragged
from ganglion.data.rows import take_rows
from ganglion.data.vocabulary import UNKNOWN
from ganglion.drawing.png import displayable
from ganglion.errors import InvalidInput, InvalidParameter
from ganglion.explanation.asking import Array, Kind, ask, checked
from ganglion.explanation.cut import Cut
from ganglion.explanation.histories import cut_histories
from ganglion.explanation.players import Flags, Places, Players
from ganglion.explanation.regions import Regions
from ganglion.explanation.superpixels import superpixels, tiles

SMALL_SIDE = 48  # pixels: smaller pictures are cut into tiles
MOST_WORDS = 64
STRETCHES = 24
PARTS = 48  # of a picture
FILLINGS = 10  # background pictures, or sequences, that are tried in place of what is left out


def modality_of(model: Any, X: Any) -> str:
    """Return as what a model reads X: as it was trained, or as X looks."""
    if hasattr(model, "encoder_") and hasattr(model, "answers_to"):
        return model.modality_
    if holds_texts(X):
        return "text"
    return "image" if np.ndim(X) in (3, 4) and isinstance(X, np.ndarray) else "table"


def cut_samples(model: Any, kind: Kind, modality: str, X: Any, background: Any, parts: Any) -> list[Players]:
    """Return each sample of X cut into parts.

    Raises
    ------
    InvalidInput
        If the modality is none that can be cut.
    InvalidParameter
        If `parts` does not fit it, or the modality knows no background.
    """
    if modality == "series":
        return cut_histories(model, X, background, parts)
    if modality not in _CUTTERS:
        raise InvalidInput(
            f"explain knows no way of leaving a part out of {modality} data. It works on tables, pictures, texts, "
            "recordings, sequences of numbers and series."
        )
    if background is not None and modality in ("text", "audio"):
        what = "a word is unknown" if modality == "text" else "sound is silent"
        raise InvalidParameter(f"background: where {what} that is left out, there is no background. Leave it away.")
    return _CUTTERS[modality](model, kind, X, background, parts)


def _count(parts: Any, usual: int) -> int:
    if parts is None:
        return usual
    if type(parts) is not int or parts < 1:
        raise InvalidParameter(f"parts={parts!r}: give how many parts each sample is cut into, a whole number above 0.")
    return parts


def _asker(model: Any, kind: Kind, columns: Callable[[Tensor], dict[str, Any]]) -> Callable[[Tensor], Array]:
    """Return what asks one of our networks about samples that are encoded already."""
    return lambda mixed: checked(model, model.answers_to(columns(mixed), scores=kind == "score").cpu())


def _foreign(model: Any, kind: Kind, put_back: Callable[[Tensor], np.ndarray]) -> Callable[[Tensor], Array]:
    """Return what asks any other model about samples, in the form in which they were given."""
    return lambda mixed: ask(model, kind, put_back(mixed))


def _rows(name: str) -> Callable[[Tensor], dict[str, Any]]:
    """Return what makes a ragged column of samples of one length."""

    def columns(mixed: Tensor) -> dict[str, Any]:
        offsets = torch.arange(len(mixed) + 1) * mixed.shape[1]
        return {name: Ragged(mixed.flatten(0, 1), offsets)}

    return columns


def _images(model: Any, kind: Kind, X: Any, background: Any, parts: Any) -> list[Players]:
    if hasattr(model, "answers_to"):
        stack = model.encoded(X)["image"]
        others = None if background is None else model.encoded(take_rows(background, _few(background)))["image"]
        asking = _asker(model, kind, lambda mixed: {"image": mixed})
    else:
        stack, put_back = _channels_first(X)
        others = None if background is None else _channels_first(take_rows(background, _few(background)))[0]

        asking = _foreign(model, kind, put_back)

    shown = displayable(stack.numpy())
    found: list[Players] = []
    for i, image in enumerate(stack):
        part = _part_of(image.numpy(), parts)
        n = int(part.max()) + 1
        fillings = blurred(image)[None] if others is None else others
        replaced = "the picture, blurred" if others is None else f"{len(others)} background pictures"
        names = [_region_name(part, k) for k in range(n)]
        found.append(
            Cut(
                asking,
                image,
                fillings,
                torch.from_numpy(part)[None],
                names,
                modality="image",
                replaced=replaced,
                drawn=Regions(shown[i], part),
            )
        )
    return found


def _few(background: Any) -> np.ndarray:
    n = len(background)
    return np.linspace(0, n - 1, min(n, FILLINGS)).astype(np.intp)


def _channels_first(X: Any) -> tuple[Tensor, Callable[[Tensor], np.ndarray]]:
    """Return a stack of images as (n, channels, height, width), and what lays it out as it was."""
    stack = torch.from_numpy(np.ascontiguousarray(X))
    if stack.dim() == 3:
        return stack[:, None], lambda mixed: mixed[:, 0].numpy()
    if stack.shape[-1] in (1, 3, 4):
        return stack.permute(0, 3, 1, 2), lambda mixed: mixed.permute(0, 2, 3, 1).numpy()
    return stack, lambda mixed: mixed.numpy()


def _part_of(image: np.ndarray, parts: Any) -> np.ndarray:
    """Return which part each pixel belongs to: as given, tiles of a small picture, superpixels of a large one."""
    height, width = image.shape[1:]
    if isinstance(parts, np.ndarray):
        if parts.shape != (height, width) or parts.dtype.kind not in "iu" or parts.min() < 0:
            raise InvalidParameter(
                f"parts has shape {parts.shape} and type {parts.dtype}, but a map of parts gives each of {height} × "
                f"{width} pixels the number of its part, from 0."
            )
        return np.unique(parts, return_inverse=True)[1].reshape(parts.shape)
    n = min(_count(parts, PARTS), height * width)
    return tiles(height, width, n) if max(height, width) <= SMALL_SIDE else superpixels(image, n)


def _region_name(part: np.ndarray, k: int) -> str:
    rows, columns = np.nonzero(part == k)
    return f"{_span('row', rows)}, {_span('column', columns)}"


def _span(what: str, places: np.ndarray) -> str:
    first, last = places.min(), places.max()
    return f"{what} {first}" if first == last else f"{what}s {first}–{last}"


def blurred(image: Tensor) -> Tensor:
    """Return a picture, (channels, height, width), without what is smaller than an eighth of its side."""
    sigma = max(image.shape[1:]) / 8
    smooth = ndimage.gaussian_filter(image.double().numpy(), (0, sigma, sigma), mode="nearest")
    smooth = np.round(smooth) if not image.dtype.is_floating_point else smooth
    return torch.from_numpy(smooth).to(image.dtype)


def _texts(model: Any, kind: Kind, X: Any, background: Any, parts: Any) -> list[Players]:
    most = _count(parts, MOST_WORDS)
    if not hasattr(model, "answers_to"):
        return [PlainText(model, kind, text, most) for text in (X.tolist() if hasattr(X, "tolist") else X)]
    encoder = model.encoder_
    asking = _asker(model, kind, _rows("tokens"))
    found: list[Players] = []
    for text in encoder.texts(as_dataset(X)):
        ids = encoder.tokenizer.encode([text]).cut(encoder.longest).values
        pieces = encoder.tokenizer.pieces(text)[: len(ids)]
        word_of = grouped(_words_of(pieces), most)
        words = ["" for _ in range(int(word_of[-1]) + 1)]
        for piece, word in zip(pieces, word_of.tolist(), strict=True):
            words[word] += piece
        unknown = torch.full_like(ids, UNKNOWN)[None]
        found.append(
            Cut(
                asking,
                ids,
                unknown,
                torch.from_numpy(word_of),
                [word.strip() for word in words],
                modality="text",
                replaced="the unknown word",
                drawn=tuple(words),
            )
        )
    return found


def _words_of(pieces: list[str]) -> np.ndarray:
    """Return the word that each piece of a text belongs to: a new one begins behind a blank."""
    blank = [i > 0 and (pieces[i - 1][-1:].isspace() or piece[:1].isspace()) for i, piece in enumerate(pieces)]
    return np.cumsum(blank)


def grouped(places: np.ndarray, most: int) -> np.ndarray:
    """Return numbers that rise from 0 brought to at most `most`: neighbours get one number together."""
    n = int(places[-1]) + 1
    return places if n <= most else places * most // n


class PlainText:
    """A text for any model that reads strings: words that are left out are taken away. See `Players`."""

    n_rows = n_background = 1
    free, usual, modality = 2**12, 1000, "text"
    replaced = "nothing: the words are taken away"

    def __init__(self, model: Any, kind: Kind, text: str, most: int) -> None:
        self._model = model
        self._kind: Kind = kind
        words = re.findall(r"\s*\S+\s*", text)
        if not words:
            raise InvalidInput(f"a text has no word that could be left out: {text!r:.40}. Leave it away.")
        group = grouped(np.arange(len(words)), most)
        self._words = ["".join(words[i] for i in np.flatnonzero(group == k)) for k in range(int(group[-1]) + 1)]
        self.names = tuple(word.strip() for word in self._words)

    def differs(self, rows: slice) -> Flags:
        """Return that every word counts, (1, 1, d)."""
        return np.ones((len(range(*rows.indices(1))), 1, len(self.names)), dtype=bool)

    def mixed(self, rows: Places, background: Places, kept: Flags) -> Array:
        """Return what the model says of the words that are kept."""
        texts = ["".join(self._words[i] for i in np.flatnonzero(each)) for each in kept]
        return ask(self._model, self._kind, texts)

    def given(self, row: int) -> tuple[Any, ...]:
        """Return nothing: words are their own names."""
        return (None,) * len(self.names)

    def drawn(self, row: int) -> tuple[str, ...]:
        """Return the words; together they are the text."""
        return tuple(self._words)


def _recordings(model: Any, kind: Kind, X: Any, background: Any, parts: Any) -> list[Players]:
    asking, rate = _asker(model, kind, _rows("audio")), model.encoder_.rate
    found: list[Players] = []
    for sound in model.encoded(X)["audio"].split():
        n = min(_count(parts, STRETCHES), len(sound))
        part = torch.arange(len(sound)) * n // len(sound)
        ends = torch.bincount(part).cumsum(0).tolist()
        names = [f"{a / rate:.2f}–{b / rate:.2f} s" for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        silence = torch.zeros_like(sound)[None]
        found.append(Cut(asking, sound, silence, part, names, modality="audio", replaced="silence"))
    return found


def _sequences(model: Any, kind: Kind, X: Any, background: Any, parts: Any) -> list[Players]:
    asking = _asker(model, kind, _rows("sequence"))
    known = None if background is None else model.encoded(background)["sequence"].values.nanmean(dim=0)
    found: list[Players] = []
    for steps in model.encoded(X)["sequence"].split():
        T, d = steps.shape
        n = max(1, min(_count(parts, STRETCHES) // d, T))
        stretch = torch.arange(T) * n // T
        part = stretch[:, None] + n * torch.arange(d)
        ends = torch.bincount(stretch).cumsum(0).tolist()
        spans = [f"steps {a}–{b - 1}" for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        names = [span if d == 1 else f"number {j}, {span}" for j in range(d) for span in spans]
        mean = steps.nanmean(dim=0) if known is None else known
        replaced = f"the mean of each number over {'the sequence' if known is None else 'the background'}"
        filling = mean.nan_to_num().expand_as(steps)[None].to(steps.dtype)
        found.append(Cut(asking, steps, filling, part, names, modality="sequence", replaced=replaced))
    return found


_CUTTERS = {"image": _images, "text": _texts, "audio": _recordings, "sequence": _sequences}
