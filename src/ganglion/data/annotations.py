"""Files that say where the objects of pictures are: Pascal VOC (XML, one a picture) and COCO (JSON, one for many).

What is wrong with a box decides what happens to it:

    beyond the edge by a pixel or less               clipped: many tools count pixels from 1, or the last one twice
    beyond the edge by more, a part of it inside     clipped, with a DataWarning
    wholly outside, or a side of at most a pixel     left out, with a DataWarning: a click, and no object
    no number, NaN, infinite, corners swapped        the file is refused: nobody can say what was meant

Everingham et al. 2010, "The Pascal Visual Object Classes (VOC) Challenge", its development kit, section 7; Lin et al.
2014, arXiv:1405.0312, and https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import PurePath
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from ganglion.data.boxes import Boxes
from ganglion.errors import DataWarning, InvalidFile

_PIXEL = 1.0  # a difference of as much is how tools count, and no mistake
_ENDLESS = 1e9  # pixels: no picture is so large, and NaN is not below it either
_SHOWN = 5  # boxes that a warning names


@dataclass(frozen=True, eq=False, slots=True)
class Annotation:
    """What a file says of one picture.

    Attributes
    ----------
    file : str
        The picture's file as the annotation names it: often a name alone, sometimes a path on a stranger's disk.
    size : tuple (height, width) in pixels, or None
        None if the file does not say.
    boxes : Boxes
        The objects inside the picture; `labels` are text.
    """

    file: str
    size: tuple[int, int] | None
    boxes: Boxes


def read_voc(xml: bytes, name: str) -> Annotation:
    """Read the Pascal VOC annotation of one picture.

    VOC counts pixels from 1 and names the last one inside, so that (1, 1, width, height) is the whole picture: (0, 0,
    width, height) here. Objects marked difficult are objects; the parts of an object are not read.

    Parameters
    ----------
    xml : bytes
        The file's content.
    name : str
        The file's name, for messages, and for the picture's where the file does not give one.

    Returns
    -------
    Annotation

    Raises
    ------
    InvalidFile
        If it is no such file; the message names the place. A document type declaration is refused, too: none of these
        files needs one, and its entities could read other files or grow without bound.

    Warns
    -----
    DataWarning
        If boxes were clipped by more than a pixel, or left out.
    """
    root = _tree(xml, name)
    if root.tag != "annotation":
        raise InvalidFile(f"{name}: the root is <{root.tag}>, but a Pascal VOC annotation begins with <annotation>.")
    objects, notes, size = _Found(), [], _voc_size(root, name)
    for each in root.findall("object"):
        left, top, right, bottom = _bounds(each, name)
        # the first and the last pixel, counted from 1 → where the box begins and ends
        place = f"{name}, line {each.get(_LINE)}"
        objects.add((left - 1, top - 1, right, bottom), _text(each, "name", name), place)
    boxes = objects.inside(size, notes)
    _warn(notes)
    return Annotation((root.findtext("filename") or "").strip() or PurePath(name).stem, size, boxes)


def read_coco(text: bytes, name: str) -> list[Annotation]:
    """Read the COCO annotations of many pictures.

    Parameters
    ----------
    text : bytes
        The file's content: JSON with "images", "categories" and "annotations", whose "bbox" is left, top, width, height
        in pixels.
    name : str
        The file's name, for messages.

    Returns
    -------
    list of Annotation
        One a picture, in the order of "images". A picture that no annotation names has no boxes.

    Raises
    ------
    InvalidFile
        If it is no such file; the message names the place.

    Warns
    -----
    DataWarning
        If boxes were clipped by more than a pixel, or left out. Crowds, boxes around objects not told apart, are left
        out.
    """
    images, categories, annotations = _coco_parts(text, name)
    names = {key: _field(each, "name", str, place) for key, each, place in _by_id(categories, "categories", name)}
    position = {key: i for i, (key, _, _) in enumerate(_by_id(images, "images", name))}
    found: list[_Found] = [_Found() for _ in images]
    n_crowds = 0
    for i, each in enumerate(annotations):
        place = f"{name}, annotations[{i}]"
        image, label = _known(each, "image_id", position, place), _known(each, "category_id", names, place)
        if each.get("iscrowd"):
            n_crowds += 1
            continue
        left, top, width, height = _numbers(each.get("bbox"), place)
        found[image].add((left, top, left + width, top + height), label, place)
    notes = [f"{name}: {n_crowds} crowds left out, boxes around many objects at once"] if n_crowds else []
    read = []
    for i, (image, objects) in enumerate(zip(images, found, strict=True)):
        place = f"{name}, images[{i}]"
        size = _coco_size(image, place)
        read.append(Annotation(_field(image, "file_name", str, place), size, objects.inside(size, notes)))
    _warn(notes)
    return read


# what both have in common: from four numbers a box to Boxes


class _Found:
    """The objects of one picture as the file gives them, and where it does."""

    def __init__(self) -> None:
        self.corners: list[tuple[float, float, float, float]] = []
        self.labels: list[str] = []
        self.places: list[str] = []

    def add(self, corners: tuple[float, float, float, float], label: str, place: str) -> None:
        self.corners.append(corners)
        self.labels.append(label)
        self.places.append(f"{place}, {label!r}")

    def inside(self, size: tuple[int, int] | None, notes: list[str]) -> Boxes:
        """Return the boxes by the rule at the top; what was clipped or left out is added to `notes`."""
        given = np.asarray(self.corners, dtype=np.float64).reshape(-1, 4)
        for box, place in zip(given, self.places, strict=True):
            if not (np.abs(box) < _ENDLESS).all() or (box[2:] < box[:2]).any():
                raise InvalidFile(
                    f"{place}: the box is {_shown(box)}. Left, top, right, bottom are wanted: finite numbers, left "
                    "before right and top before bottom. Mend the file, or take it out."
                )
        height, width = size or (math.inf, math.inf)
        clipped = np.clip(given, 0, [width, height, width, height])
        visible = (clipped[:, 2:] - clipped[:, :2]).min(axis=1) > _PIXEL
        far = np.abs(clipped - given).max(axis=1) > _PIXEL
        within = f" in a picture {size[1]} wide and {size[0]} high" if size else ""
        for i in np.flatnonzero(np.logical_or(far, ~visible)):
            what = "clipped" if visible[i] else "left out: it is outside, or a side is no longer than a pixel"
            notes.append(f"{self.places[i]}: the box {_shown(given[i])}{within} was {what}")
        labels = np.array(list(compress(self.labels, visible)), dtype=str)
        return Boxes(clipped[visible].astype(np.float32), labels)


def _shown(box: np.ndarray) -> str:
    return f"({', '.join(f'{value:g}' for value in box)})"


def _warn(notes: Sequence[str]) -> None:
    if notes:
        more = f"; and {len(notes) - _SHOWN} more" if len(notes) > _SHOWN else ""
        warnings.warn(f"{'; '.join(notes[:_SHOWN])}{more}.", DataWarning, stacklevel=3)


# Pascal VOC

_LINE = "line of the file"  # an attribute of our own: a name with blanks cannot stand in a file


def _tree(xml: bytes, name: str) -> Element:
    """Return the root of an XML document in which every element knows its line."""
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        builder.start(tag, {**attributes, _LINE: str(parser.CurrentLineNumber)})

    def refuse(*_: Any) -> None:
        raise InvalidFile(
            f"{name}: it has a document type declaration (<!DOCTYPE …>), whose entities could read other files or grow "
            "without bound. No Pascal VOC annotation needs one: take the declaration out."
        )

    parser.StartElementHandler, parser.EndElementHandler = start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, refuse
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an encoding that does not exist
        if isinstance(error, InvalidFile):
            raise
        raise InvalidFile(f"{name}: it is no XML ({error}). Write it again, or take it out.") from error
    return builder.close()


def _text(element: Element, tag: str, name: str) -> str:
    text = (element.findtext(tag) or "").strip()
    if not text:
        raise _lacks(element, tag, name)
    return text


def _lacks(element: Element, tag: str, name: str) -> InvalidFile:
    return InvalidFile(
        f"{name}, line {element.get(_LINE)}: <{element.tag}> has no <{tag}>. A Pascal VOC object has <name> and "
        "<bndbox> with <xmin>, <ymin>, <xmax>, <ymax>."
    )


def _bounds(element: Element, name: str) -> list[float]:
    bounds = element.find("bndbox")
    if bounds is None:
        raise _lacks(element, "bndbox", name)
    return [_number(bounds, tag, name) for tag in ("xmin", "ymin", "xmax", "ymax")]


def _number(element: Element, tag: str, name: str) -> float:
    text = _text(element, tag, name)
    try:
        return float(text)
    except ValueError as error:
        raise InvalidFile(
            f"{name}, line {element.get(_LINE)}: <{tag}> is {text[:40]!r}; a number is wanted."
        ) from error


def _voc_size(root: Element, name: str) -> tuple[int, int] | None:
    """Return height and width; tools that did not know them write 0, or nothing."""
    element = root.find("size")
    if element is None:
        return None
    height, width = (_number(element, tag, name) for tag in ("height", "width"))
    if height == width == 0:
        return None
    return _size(height, width, f"{name}, line {element.get(_LINE)}")


def _size(height: float, width: float, place: str) -> tuple[int, int]:
    if not all(1 <= side < _ENDLESS and side == int(side) for side in (height, width)):
        raise InvalidFile(
            f"{place}: the picture is {width} wide and {height} high. Whole numbers of pixels are wanted."
        )
    return int(height), int(width)


# COCO


def _coco_parts(text: bytes, name: str) -> tuple[list[dict], list[dict], list[dict]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidFile(f"{name}: it is no JSON ({error}). Write it again.") from error
    keys = ("images", "categories", "annotations")
    if not isinstance(whole, dict) or not all(isinstance(whole.get(key), list) for key in keys):
        given = f"the keys {', '.join(whole)[:80]}" if isinstance(whole, dict) else f"a {type(whole).__name__}"
        raise InvalidFile(f"{name}: it holds {given}. COCO annotations have lists of {', '.join(keys)}.")
    for key in keys:
        for i, each in enumerate(whole[key]):
            if not isinstance(each, dict):
                raise InvalidFile(f"{name}, {key}[{i}]: it is {_brief(each)}; a JSON object is wanted.")
    images, categories, annotations = (whole[key] for key in keys)
    return images, categories, annotations


def _by_id(entries: Sequence[dict], key: str, name: str) -> Iterator[tuple[int, dict, str]]:
    """Yield the id, the entry and its place; no two entries have the same id."""
    seen = set()
    for i, each in enumerate(entries):
        place = f"{name}, {key}[{i}]"
        number = _field(each, "id", int, place)
        if number in seen:
            raise InvalidFile(f"{place}: the id {number} stands twice. Give each entry its own.")
        seen.add(number)
        yield number, each, place


def _field(entry: Mapping[str, Any], key: str, kind: type, place: str) -> Any:
    value = entry.get(key)
    if not isinstance(value, kind) or isinstance(value, bool) or value == "":
        wanted = "text" if kind is str else "a whole number"
        raise InvalidFile(f"{place}: {key!r} is {_brief(value)}; {wanted} is wanted.")
    return value


def _known(entry: Mapping[str, Any], key: str, known: Mapping[int, Any], place: str) -> Any:
    number = _field(entry, key, int, place)
    if number not in known:
        raise InvalidFile(f"{place}: {key!r} is {number}, which the file does not list. Mend the file.")
    return known[number]


def _numbers(given: Any, place: str) -> list[float]:
    if (
        not isinstance(given, list)
        or len(given) != 4
        or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in given)
    ):
        raise InvalidFile(f"{place}: 'bbox' is {_brief(given)}; left, top, width, height in pixels are wanted.")
    try:
        return [float(each) for each in given]
    except OverflowError:  # a whole number of more than 308 digits
        return [math.inf] * 4


def _coco_size(image: Mapping[str, Any], place: str) -> tuple[int, int] | None:
    if "height" not in image and "width" not in image:
        return None
    height, width = image.get("height"), image.get("width")
    if not isinstance(height, int | float) or not isinstance(width, int | float):
        given = f"{_brief(height)} and {_brief(width)}"
        raise InvalidFile(f"{place}: height and width are {given}; whole numbers of pixels are wanted.")
    return _size(height, width, place)


def _brief(value: Any) -> str:
    return "missing" if value is None else repr(value)[:60]
