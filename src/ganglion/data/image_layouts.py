"""How people lay out pictures and what is known of them, from the names of the files alone.

    JPEGImages/ Annotations/*.xml (ImageSets/Main/)    objects, Pascal VOC
    pictures, and a .json as COCO has it               objects
    images/ masks/ with the same names                 a class of every pixel (also labels/, annotations/)
    pictures, and a .csv or .tsv that names them       whatever stands beside the names
    a folder a class                                   one class a picture
    pictures alone                                     nothing

Folders train/, val/ and test/, each laid out so, are parts; so are the lists of ImageSets/Main, and tables or .json
files with such names. The part "train" is train and val together, as Pascal VOC has it, "test" is test; without
test, it is val.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ganglion.data.annotations import Annotation, read_coco, read_voc
from ganglion.data.csv_file import csv_to_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.file_tree import PART_FOLDERS, TEST, TRAIN, VALIDATION, ZIP_DAMAGE, Part, Tree, part_folders, told
from ganglion.data.image_files import KINDS, SUFFIXES, is_picture
from ganglion.errors import DataWarning, InvalidFile

TABLES = (".csv", ".tsv")
_IMAGES = ("images", "image", "imgs", "img", "jpegimages")
_MASKS = ("masks", "mask", "labels", "label", "annotations", "annotation", "segmentation", "segmentationclass")
_MASK_ENDING = re.compile(r"[-_ ](?:masks?|labels?|seg|segmentation|gt)$", re.IGNORECASE)
_MOSTLY = 0.5  # so many values of a column must be names of pictures
_LOOKED_AT = 1000  # rows of a text
_LISTED = 5


@dataclass(slots=True)
class Listing:
    """Picture files and what is known of each: one entry a picture in every list that is there.

    Attributes
    ----------
    files : list of str
        Files of the tree.
    names : list of str
        The same as the user knows them.
    labels : list of str
        The class of each.
    masks : list of str
        The file of the mask of each.
    annotations : list of Annotation
        The objects of each.
    table : Dataset or None
        Other columns.
    notes : list of str
        What was left out, and the like, to be told.
    """

    files: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    table: Dataset | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def is_labelled(self) -> bool:
        """Whether anything is known of the pictures."""
        return bool(self.labels or self.masks or self.annotations or self.table is not None)


def is_table(file: str) -> bool:
    """Say whether a file is a table as text, by its name."""
    return file.lower().endswith(TABLES)


def find_layout(tree: Tree, part: Part) -> Listing | None:
    """Return the pictures of a part of a tree, and what is known of them.

    Parameters
    ----------
    tree : Tree
    part : "train" or "test"
        A tree without parts is all "train".

    Returns
    -------
    Listing or None
        None if there is no such part.

    Raises
    ------
    InvalidFile
        If there is no picture, pictures and what is said of them do not fit, or an annotation is malformed.
    """
    _check_pictures(tree)
    tree = _unwrapped(tree)
    folders = _part_folders(tree)
    if folders is None:
        listing, seen = _layout(tree, part), [tree]
    else:
        seen = [tree.below(folder) for folder in folders[part]]
        listing = _joined(tree, [_layout(each, "train") for each in seen]) if seen else None
    if listing is not None:
        listing.notes += _strangers(tree, seen)
        listing.names = listing.names or [str(tree.inside(file)) for file in listing.files]
    return listing


def _layout(tree: Tree, part: Part) -> Listing | None:
    tree = _unwrapped(tree)
    folders = tree.folders()
    notes = tree.below(folders["annotations"]).files if "annotations" in folders else ()
    if any(file.lower().endswith(".xml") for file in notes):
        return _voc(tree, folders["annotations"], part)
    coco = _coco_files(tree)
    if coco:
        return _coco(tree, coco, part)
    images, masks = (next((folders[each] for each in names if each in folders), None) for names in (_IMAGES, _MASKS))
    if images and masks and any(map(is_picture, tree.below(masks).files)):
        return _masks(tree.below(images), tree.below(masks)) if part == "train" else None
    tables = [file for file in tree.loose() if is_table(file)]
    if tables:
        listing = _tables(tree, tables, part)
        if listing is not None or part == "test":
            return listing
    if part == "test":
        return None
    return _classes(tree) if any(map(is_picture, _nested(tree))) else Listing(_pictures(tree))


def _nested(tree: Tree) -> list[str]:
    return [file for file in tree.files if len(tree.inside(file).parts) > 1]


def _pictures(tree: Tree) -> list[str]:
    return [file for file in tree.files if is_picture(file)]


def _check_pictures(tree: Tree) -> None:
    if any(map(is_picture, tree.files)):
        return
    kinds = Counter(PurePosixPath(file).suffix.lower() or "no suffix" for file in tree.files)
    found = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(_LISTED)) or "nothing at all"
    raise InvalidFile(
        f"{tree.name} is a folder or zip without pictures or Parquet files; it holds {found}. Give one file in it, "
        f"a folder of .txt files, or one of {KINDS} files: one sub-folder a class, images/ and masks/, Pascal VOC, "
        "COCO, a CSV that names them, or pictures alone."
    )


def _unwrapped(tree: Tree) -> Tree:
    used = (*SUFFIXES, *TABLES, ".json", ".xml")
    return tree.unwrapped(lambda file: file.lower().endswith(used), _is_wrapper)


def _is_wrapper(inner: Tree, folder: str) -> bool:
    """Say whether the only folder, which holds no folder, is more than a class."""
    return any(map(is_table, inner.files)) or folder.lower() in (*_IMAGES, *PART_FOLDERS)


def _part_folders(tree: Tree) -> dict[Part, list[str]] | None:
    """Return the folders of each part, or None if the tree has no parts."""
    parts = part_folders(tree, is_picture)
    inside = tuple(f"{tree.prefix}{folder}/" for folders in (parts or {}).values() for folder in folders)
    above = [file for file in _coco_files(tree) if not file.startswith(inside)]
    return None if above else parts


def _joined(tree: Tree, listings: Sequence[Listing | None]) -> Listing:
    """Return several listings as one."""
    found = [each for each in listings if each is not None]
    kinds = {(bool(each.labels), bool(each.masks), bool(each.annotations)) for each in found}
    if len(found) > 1 and (len(kinds) > 1 or any(each.table is not None for each in found)):
        raise InvalidFile(
            f"{tree.name}: its folders train and val are laid out differently, or have a table each. Read one of them "
            "by its own path."
        )
    whole = Listing(table=found[0].table)
    for each in found:
        for name in ("files", "labels", "masks", "annotations", "notes"):
            getattr(whole, name).extend(getattr(each, name))
        whole.names += each.names or [str(tree.inside(file)) for file in each.files]
    return whole


def _strangers(tree: Tree, seen: Sequence[Tree]) -> list[str]:
    known = (*SUFFIXES, *TABLES, ".json", ".xml", ".txt", ".md")
    others = [str(tree.inside(file)) for part in seen for file in part.files if not file.lower().endswith(known)]
    what = f"of no kind that is read ({KINDS}) and left out"
    return [told(others, f"file is {what}", f"files are {what}")] if others else []


def _classes(tree: Tree) -> Listing:
    files = [file for file in _nested(tree) if is_picture(file)]
    notes = []
    loose = [str(tree.inside(file)) for file in tree.loose() if is_picture(file)]
    if loose:
        what = "beside the folders of the classes, so that no class is known, and left out"
        notes.append(told(loose, f"picture is {what}", f"pictures are {what}"))
    deep = [str(tree.inside(file)) for file in files if len(tree.inside(file).parts) > 2]
    if deep:
        what = "in a folder inside that of a class; the outermost folder counts as the class"
        notes.append(told(deep, f"picture lies {what}", f"pictures lie {what}"))
    return Listing(files, labels=[tree.inside(file).parts[0] for file in files], notes=notes)


def _masks(images: Tree, masks: Tree) -> Listing:
    by_stem = {_stem(images, file): file for file in _pictures(images)}
    pairs: dict[str, str] = {}
    lost, twice = [], []
    for file in _pictures(masks):
        stem = _stem(masks, file)
        image = by_stem.get(stem) or by_stem.get(_MASK_ENDING.sub("", stem))
        if image is None:
            lost.append(file)
        elif image in pairs:
            twice.append(file)
        else:
            pairs[image] = file
    if lost or twice:
        lost, twice = ([str(masks.inside(file)) for file in each] for each in (lost, twice))
        what = (
            told(lost, "mask fits no picture by its name", "masks fit no picture by their names")
            if lost
            else told(twice, "mask is the second of its picture", "masks are the second of their pictures")
        )
        raise InvalidFile(
            f"{images.name}: {what}. A mask has the name of its picture, but for the suffix: "
            f"{images.prefix}a.jpg, {masks.prefix}a.png. Rename, add or remove files."
        )
    without = [str(images.inside(file)) for file in by_stem.values() if file not in pairs]
    notes = [told(without, "picture has no mask and is left out", "pictures have no mask and are left out")]
    notes = notes if without else []
    files = sorted(pairs)
    return Listing(files, masks=[pairs[file] for file in files], notes=notes)


def _stem(tree: Tree, file: str) -> str:
    return str(tree.inside(file).with_suffix(""))


def _voc(tree: Tree, folder: str, part: Part) -> Listing | None:
    stems = {PurePosixPath(file).stem: file for file in tree.below(folder).files if file.lower().endswith(".xml")}
    chosen = _voc_set(tree, part)
    if chosen is None and part == "test":
        return None
    missing = [stem for stem in chosen or () if stem not in stems]
    locate = Locator(tree, [file for file in _pictures(tree) if tree.inside(file).parts[0] != folder])
    listing = Listing()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for stem, file in stems.items():
            if chosen is None or stem in chosen:
                note = read_voc(content(tree, file), str(tree.inside(file)))
                listing.files.append(locate(note.file) or locate.by_stem(stem) or note.file)
                listing.annotations.append(note)
    if missing:
        what = f"in ImageSets/Main without a file in {folder}"
        listing.notes.append(told(missing, f"name stands {what}", f"names stand {what}"))
    if chosen is None:
        without = sorted(str(tree.inside(file)) for file in {*locate.files} - {*listing.files})
        if without:
            what = "no annotation and left out"
            listing.notes.append(told(without, f"picture has {what}", f"pictures have {what}"))
    listing.notes += _said(said)
    return listing


def _voc_set(tree: Tree, part: Part) -> set[str] | None:
    """Return the pictures of a part as ImageSets/Main lists them, or None if it does not."""
    lists = {
        PurePosixPath(file).stem.lower(): file
        for file in tree.files
        if re.fullmatch(r"imagesets/main/[^/]+\.txt", str(tree.inside(file)).lower())
    }
    if "train" not in lists and "trainval" not in lists:
        return None
    chosen = ["test" if "test" in lists else "val"]
    if part == "train":
        chosen = [name for name in ("train", "val", "trainval") if name in lists]
        chosen = chosen if "test" in lists else ["train" if "train" in lists else "trainval"]
    elif chosen[0] not in lists:
        return None
    texts = [content(tree, lists[name]).decode("utf-8", "replace") for name in chosen]
    return {words[0] for text in texts for line in text.splitlines() if (words := line.split())}


def _coco_files(tree: Tree) -> list[str]:
    """Return the files of annotations as COCO has them, at the top of the tree or in annotations/."""
    near = [file for file in tree.files if file.lower().endswith(".json") and len(tree.inside(file).parts) <= 2]
    marks = (b'"images"', b'"annotations"', b'"categories"')
    return [file for file in near if all(mark in content(tree, file) for mark in marks)]


def _coco(tree: Tree, files: Sequence[str], part: Part) -> Listing | None:
    file = of_part(tree, files, part, "COCO annotations")
    if file is None:
        return None
    locate = Locator(tree, _pictures(tree), beside=file)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        annotations = read_coco(content(tree, file), str(tree.inside(file)))
    found = [locate(each.file) or each.file for each in annotations]
    return Listing(found, annotations=annotations, notes=_said(said))


def _tables(tree: Tree, files: Sequence[str], part: Part) -> Listing | None:
    """Return what a table says of pictures, or None if none does."""
    naming = {}
    for file in files:
        table = csv_to_dataset(content(tree, file), str(tree.inside(file)))
        column = names_pictures(table)
        if column is not None:
            naming[file] = table, column
    if not naming:
        return None
    file = of_part(tree, list(naming), part, "tables")
    if file is None:
        return None
    table, column = naming[file]
    return beside_table(tree, table, column, file)


def names_pictures(table: Dataset) -> str | None:
    """Return the column of a table that names pictures, or None."""
    return names_files(table, is_picture)


def names_files(table: Dataset, is_one: Callable[[str], bool]) -> str | None:
    """Return the column of a table most of whose values are names of files of some kind, or None."""
    for each in table.fields:
        if each.kind == "categorical":
            values = each.categories
        elif each.kind == "text":  # names of five words and more
            values = table.take(range(min(_LOOKED_AT, len(table)))).values(each.name).tolist()
        else:
            continue
        if sum(map(is_one, values)) > _MOSTLY * len(values):
            return each.name
    return None


def beside_table(tree: Tree, table: Dataset, column: str, file: str, meant: Sequence[str] | None = None) -> Listing:
    """Return the files that a column of a table names, with the other columns: pictures, or some of `meant`."""
    names = ["" if name is None else str(name) for name in table.values(column).tolist()]
    locate = Locator(tree, _pictures(tree) if meant is None else meant, beside=file)
    rows = [i for i, name in enumerate(names) if name]
    blank = len(names) - len(rows)
    what = "picture" if meant is None else "recording"
    notes = [f"{blank} rows of {table.source} name no {what} and are left out"] if blank else []
    names = [names[i] for i in rows]
    others = table.drop([column])
    return Listing(
        [locate(name) or str(PurePosixPath(file).parent / name) for name in names],
        names,
        table=others if len(rows) == len(table) else others.take(rows),
        notes=notes,
    )


def of_part(tree: Tree, files: Sequence[str], part: Part, what: str) -> str | None:
    """Return which of several files is for a part, by its name; one alone is for "train"."""
    if len(files) == 1:
        return files[0] if part == "train" else None
    by_name = {
        kind: [file for file in files if {*re.split(r"[^a-z]+", PurePosixPath(file).stem.lower())} & {*words}]
        for kind, words in (("train", TRAIN), ("val", VALIDATION), ("test", TEST))
    }
    chosen = by_name["train"] if part == "train" else by_name["test"] or by_name["val"]
    if len(by_name["train"]) != 1 or len(chosen) > 1:
        raise InvalidFile(
            f"{tree.name} holds several {what}: {', '.join(str(tree.inside(file)) for file in files)}. Leave one, or "
            "call them train and test."
        )
    return chosen[0] if chosen else None


class Locator:
    """Finds the picture that a name in another file means.

    Parameters
    ----------
    tree : Tree
    files : sequence of str
        The pictures that may be meant.
    beside : str
        The file that the names stand in.
    """

    def __init__(self, tree: Tree, files: Iterable[str], beside: str = "") -> None:
        self.tree, self.files = tree, list(files)
        self._known = set(self.files)
        self._here = PurePosixPath(beside).parent
        self._by_name: dict[str, list[str]] = {}
        for file in self.files:
            self._by_name.setdefault(PurePosixPath(file).name, []).append(file)
        self._tops: list[str] | None = None

    def __call__(self, name: str) -> str | None:
        """Return the file beside the one that names it; else the only one whose path ends so; else that name alone."""
        path = PurePosixPath(name.replace("\\", "/"))
        beside = str(self._here / path)
        if beside in self._known or self._is_file(beside):
            return beside
        near = self._by_name.get(path.name, [])
        ending = [file for file in near if PurePosixPath(file).parts[-len(path.parts) :] == path.parts] or near
        return ending[0] if len(ending) == 1 else self._in_a_folder(path)

    def by_stem(self, stem: str) -> str | None:
        """Return the only picture of that name, whatever its suffix."""
        found = [file for file in self.files if PurePosixPath(file).stem == stem]
        return found[0] if len(found) == 1 else None

    def _is_file(self, file: str) -> bool:
        """Say whether a file lies where a name says, even if that is not in the tree."""
        return self.tree.root is not None and self.tree.root.joinpath(file).is_file()

    def _in_a_folder(self, path: PurePosixPath) -> str | None:
        """Look in each folder beside the file: the tree of a single table is not walked over."""
        if self.tree.root is None or self.files:
            return None
        if self._tops is None:
            here = self.tree.root / self._here
            self._tops = sorted(each.name for each in here.iterdir() if each.is_dir() and not each.name.startswith("."))
        return next((file for top in self._tops if self._is_file(file := str(self._here / top / path))), None)


def content(tree: Tree, file: str) -> bytes:
    """Return what a file of a tree holds; raises InvalidFile if it cannot be read."""
    try:
        with tree.open(file) as stream:
            return stream.read()
    except ZIP_DAMAGE as error:
        raise InvalidFile(
            f"{tree.name}: {tree.inside(file)} cannot be read: {error}. Fetch or copy it again."
        ) from error


def _said(caught: Sequence[warnings.WarningMessage]) -> list[str]:
    """Return what readers of annotations warned of."""
    texts = [str(each.message) for each in caught if issubclass(each.category, DataWarning)]
    more = [f"… and {len(texts) - _LISTED} more such remarks on annotations"] if len(texts) > _LISTED else []
    return texts[:_LISTED] + more
