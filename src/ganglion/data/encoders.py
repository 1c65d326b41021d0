"""Which modality data are of, and the encoder that suits it."""

from __future__ import annotations

from typing import Any

from ganglion.data.audio_encoding import AudioEncoder
from ganglion.data.dataset import Dataset
from ganglion.data.encoding import ImageEncoder, TableEncoder
from ganglion.data.music_encoding import MusicEncoder
from ganglion.data.sequences import SequenceEncoder
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.data.text_encoding import TextEncoder
from ganglion.data.word_encoding import WordEncoder
from ganglion.errors import InvalidModel

AnyEncoder = (
    TableEncoder
    | ImageEncoder
    | TextEncoder
    | SequenceEncoder
    | WordEncoder
    | MusicEncoder
    | SeriesEncoder
    | AudioEncoder
)
ENCODERS: dict[str, type[AnyEncoder]] = {
    "table": TableEncoder,
    "image": ImageEncoder,
    "text": TextEncoder,
    "sequence": SequenceEncoder,
    "music": MusicEncoder,
    "words": WordEncoder,  # of the modality "text"
    "series": SeriesEncoder,  # tables, by who reads their rows as steps
    "audio": AudioEncoder,
}
_DISTINCT = 0.5  # a column of labels, alone, of which so many differ is no column of labels


def modality_of(data: Dataset, known: tuple[str, ...] = tuple(ENCODERS)) -> str:
    """Return the modality as which features are read.

    Parameters
    ----------
    data : Dataset
    known : tuple of str
        The modalities that an algorithm reads: a column of text beside a column of numbers can be read as a text, or
        without it as a table.

    Returns
    -------
    str
        The first of `known` that suits; if none does, the one that suits best.
    """
    candidates = _candidates(data)
    candidates += ["series"] if "table" in candidates else []
    return next((each for each in candidates if each in known), candidates[0])


def _candidates(data: Dataset) -> list[str]:
    kinds = [field.kind for field in data.features]
    for alone in ("image", "sequence", "music", "audio"):
        if alone in kinds:
            return [alone]
    if "tokens" in kinds:
        return ["text"]
    n_texts, n_labels = kinds.count("text"), kinds.count("categorical")
    if n_texts:
        order = ["text", "table"] if 2 * n_texts >= len(kinds) else ["table", "text"]
        return order if n_texts < len(kinds) else ["text"]
    if len(kinds) == n_labels == 1 and len(data.features[0].categories) > _DISTINCT * len(data):
        return ["text", "table"]
    return ["table", "text"] if n_labels else ["table"]


def encoder_from_json(stored: Any) -> AnyEncoder:
    """Make an encoder again from `to_json`, believing nothing: any flaw raises InvalidModel."""
    try:
        name = stored.get("encoder", stored["modality"])
        if name not in ENCODERS:
            raise ValueError(f"modality {name!r:.40}")
        return ENCODERS[name].from_json(stored)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidModel(f"the model file's description of its input is damaged ({error}).") from error
