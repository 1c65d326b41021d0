"""Texts as data: folders of files, JSON lines, lists; whole, damaged and hostile."""

import gzip
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

import ganglion as gg
from ganglion.data.convert import as_dataset
from ganglion.data.read import read, read_test_part
from ganglion.errors import DataWarning, InvalidFile, InvalidInput, InvalidParameter

from .pictures import put as put_picture


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def reviews(folder):
    for i in range(3):
        put(folder / "pos" / f"{i}.txt", f"good {i}")
        put(folder / "neg" / f"{i}.txt", f"bad {i}")
    return folder


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.txt")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def kinds(data):
    return {field.name: field.kind for field in data.fields}


# folders


def test_a_folder_a_class(tmp_path):
    data = read(reviews(tmp_path / "reviews"))
    assert kinds(data) == {"text": "text", "class": "categorical", "file": "text"}
    assert data.target == ("class",)
    assert data.index == ("file",)
    assert [field.name for field in data.features] == ["text"]
    X, y = data.X_y()
    assert X.values("text").tolist() == ["bad 0", "bad 1", "bad 2", "good 0", "good 1", "good 2"]
    assert y.tolist() == ["neg"] * 3 + ["pos"] * 3
    assert X.values("file").tolist()[:2] == ["neg/0.txt", "neg/1.txt"]
    assert data.source == "reviews"


def test_a_zip_is_read_as_the_folder_is(tmp_path):
    folder = read(reviews(tmp_path / "reviews"))
    packed = read(zipped(tmp_path / "reviews", tmp_path / "reviews.zip"))
    for name in ("text", "class", "file"):
        assert packed.values(name).tolist() == folder.values(name).tolist()


def test_texts_alone_have_no_class(tmp_path):
    put(tmp_path / "a.txt", "one")
    put(tmp_path / "b.TXT", "two")
    data = read(tmp_path)
    assert data.target == ()
    assert data.values("text").tolist() == ["one", "two"]
    assert kinds(data) == {"text": "text", "file": "text"}


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_parts(tmp_path, held_out):
    reviews(tmp_path / "all" / "train")
    put(tmp_path / "all" / held_out / "pos" / "9.txt", "fine")
    train = read(tmp_path / "all")
    assert len(train) == 6
    assert read(tmp_path / "all", part="test").values("text").tolist() == ["fine"]
    test = read_test_part(tmp_path / "all", train)
    assert test.values("class").tolist() == ["pos"]
    assert test.source == "all, part 'test'"


def test_train_and_val_are_for_training(tmp_path):
    for name in ("train", "val", "test"):
        put(tmp_path / name / "pos" / f"{name}.txt", name)
    assert read(tmp_path).values("text").tolist() == ["train", "val"]
    assert read(tmp_path, part="test").values("text").tolist() == ["test"]


def test_no_such_part(tmp_path):
    train = read(reviews(tmp_path / "reviews"))
    assert read_test_part(tmp_path / "reviews", train) is None
    with pytest.raises(InvalidFile, match="reviews has no part 'test'"):
        read(tmp_path / "reviews", part="test")


def test_letters_are_kept(tmp_path):
    put(tmp_path / "a.txt", "  NA \r\n?\n\n")
    put(tmp_path / "b.txt", "\ufeffna\u00efve".encode("utf-16"))
    put(tmp_path / "c.txt", b"\xef\xbb\xbfcaf\xc3\xa9")
    put(tmp_path / "d.txt", "NA")
    assert read(tmp_path).values("text").tolist() == ["  NA \n?\n\n", "\ufeffnaïve", "café", "NA"]


def test_latin_1_is_told(tmp_path):
    put(reviews(tmp_path / "r") / "pos" / "z.txt", b"caf\xe9")
    with pytest.warns(DataWarning, match=r"r: 1 text is not UTF-8 and read as Latin-1.*: pos/z.txt"):
        data = read(tmp_path / "r")
    assert data.values("text").tolist()[-1] == "café"


def test_files_that_are_no_text_are_named_and_left_out(tmp_path):
    folder = reviews(tmp_path / "r")
    put(folder / "neg" / "0.txt", b"a\nb\x00c")
    put(folder / "pos" / "1.txt", b" \n")
    put(folder / "pos" / "2.txt", b"")
    with pytest.warns(
        DataWarning,
        match=r"r: 3 of 6 texts cannot be read: neg/0.txt is no text: it holds NUL bytes \(first in line 2\); "
        r"pos/1.txt is empty; pos/2.txt is empty. They are left out",
    ):
        data = read(folder)
    assert data.values("file").tolist() == ["neg/1.txt", "neg/2.txt", "pos/0.txt"]
    assert data.values("class").tolist() == ["neg", "neg", "pos"]
    assert data.values("text").tolist() == ["bad 1", "bad 2", "good 0"]
    with pytest.raises(InvalidFile, match=r"pos/2.txt is empty. Mend or remove them"):
        read(folder, corrupt="refuse")


def test_none_can_be_read(tmp_path):
    put(tmp_path / "r" / "a.txt", b"\x00")
    with pytest.raises(InvalidFile, match=r"none of the 1 texts of r can be read: a.txt is no text.*Give files"):
        read(tmp_path / "r")


def test_a_damaged_zip(tmp_path):
    path = zipped(reviews(tmp_path / "r"), tmp_path / "r.zip")
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"bad 1")] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.warns(DataWarning, match=r"1 of 6 texts cannot be read: neg/1.txt cannot be read \(Bad CRC"):
        assert len(read(path)) == 5


def test_loose_and_unlabelled_texts_are_left_out(tmp_path):
    folder = reviews(tmp_path / "r")
    put(folder / "readme.txt", "These are reviews.")
    put(folder / "unsup" / "0.txt", "who knows")
    with pytest.warns(DataWarning) as said:
        data = read(folder)
    told = "\n".join(str(each.message) for each in said)
    assert "1 text is beside the folders of the classes" in told
    assert "left out: readme.txt" in told
    assert "1 text has no class and is left out: unsup/0.txt" in told
    assert data.field("class").categories == ("neg", "pos")
    assert len(data) == 6


def test_pictures_come_first(tmp_path):
    for label in ("cats", "dogs"):
        put_picture(tmp_path / label / "0.png")
        put(tmp_path / label / "0.txt", "A caption.")
        put(tmp_path / label / "1.txt", "Another.")
    assert read(tmp_path).field("image").kind == "image"


def test_a_readme_makes_no_folder_of_texts(tmp_path):
    put(tmp_path / "readme.txt", "Look at the pictures.")
    put(tmp_path / "a.heic", b"x")
    with pytest.raises(InvalidFile, match=r"it holds 1 .heic, 1 .txt. Give one file in it, a folder of .txt files"):
        read(tmp_path)


def test_too_many_for_memory(tmp_path, monkeypatch):
    reviews(tmp_path / "r")
    put(tmp_path / "r" / "pos" / "z.txt", "word " * 60_000)
    monkeypatch.setenv("GANGLION_MEMORY", "2")
    with pytest.raises(InvalidFile, match=r"first 7 of 7 texts have 0 MB, too many for memory.*GANGLION_MEMORY"):
        read(tmp_path / "r")


def test_sizes_are_for_pictures(tmp_path):
    with pytest.raises(InvalidParameter, match="are for picture files"):
        read(reviews(tmp_path / "r"), size=(8, 8))


# JSON lines


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


ROWS = [
    {"text": " It rains.", "label": "weather", "stars": 3},
    {"text": "?", "label": "other", "stars": 4.5, "seen": True},
    {"text": "NA", "label": "other", "stars": None},
    {"label": "weather", "stars": 1},
]


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "T.JSONL", "t.jsonl.gz"])
def test_json_lines(tmp_path, name):
    raw = lines(*ROWS).encode()
    data = read(put(tmp_path / name, gzip.compress(raw) if name.endswith(".gz") else raw), target="label")
    assert kinds(data) == {"text": "text", "label": "categorical", "stars": "numeric", "seen": "boolean"}
    assert data.values("text").tolist() == [" It rains.", "?", "NA", ""]
    np.testing.assert_array_equal(data.values("stars"), [3, 4.5, np.nan, 1])
    np.testing.assert_array_equal(data.values("seen"), [np.nan, 1, np.nan, np.nan])
    assert data.X_y()[1].tolist() == ["weather", "other", "other", "weather"]


def test_columns_of_json_lines_can_be_named(tmp_path):
    data = read(put(tmp_path / "t.jsonl", lines({"a": 1, "b": "x"}, {"a": 2, "b": "y"})), columns=["n", "m"])
    assert data.names == ("n", "m")


def test_lines_end_at_newlines_only(tmp_path):
    path = put(tmp_path / "t.jsonl", '\ufeff{"text": "a\u2028b\u0085c"}\r\n\r\n  \n{"text": "d"}')
    assert read(path).values("text").tolist() == ["a\u2028b\u0085c", "d"]


def test_long_texts_of_other_names_are_text_too(tmp_path):
    rows = [{"review": f"this is the review number {i}", "n": i} for i in range(9)]
    assert kinds(read(put(tmp_path / "t.jsonl", lines(*rows)))) == {"review": "text", "n": "numeric"}


def test_lists_and_objects_are_left_out(tmp_path):
    path = put(tmp_path / "t.jsonl", lines({"text": "a", "turns": ["b"]}, {"text": "c", "turns": None, "meta": {}}))
    with pytest.warns(DataWarning, match=r"t.jsonl: turns, meta hold lists or objects, and are left out"):
        assert read(path).names == ("text",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b" \n\n", r"t.jsonl is empty. It needs at least one line, such as"),
        (b'{"text": "a"}\n{"text": \n', r"t.jsonl, line 2: no JSON \(Expecting value.*Give one object a line"),
        (b'{"a": 1}\n\n[1, 2]\n', r"line 3: a list, and no object: '\[1, 2\]'"),
        (b'"text"\n', r"line 1: a str, and no object"),
        (b'{"a": 1}{"a": 2}\n', r"line 1: no JSON \(Extra data"),
        (b"[" * 100_000, r"line 1: no JSON"),
        (b'{"text": "a\x00b"}', r"is no text: it holds NUL bytes \(first in line 1\)"),
        (b'{"a": "b"}\n{"text": "caf\xe9"}', r"line 2: the bytes are not UTF-8"),
        (b"{}\n{}", r"holds no key in any object"),
        (b'{"a": [1]}\n{"a": [2]}', r"holds only lists and objects, in a"),
    ],
)
def test_lines_that_are_none(tmp_path, content, message):
    with pytest.raises(InvalidFile, match=message):
        read(put(tmp_path / "t.jsonl", content))


@pytest.mark.parametrize("number", ["Infinity", "1e999", "9" * 5000])
def test_infinite_numbers(tmp_path, number):
    with pytest.raises(InvalidInput, match="column 'a' holds infinity in row 1"):
        read(put(tmp_path / "t.jsonl", f'{{"a": 1}}\n{{"a": {number}}}'))


def test_json_lines_too_large_for_memory(tmp_path, monkeypatch):
    path = put(tmp_path / "t.jsonl", lines({"text": "word " * 60_000}))
    monkeypatch.setenv("GANGLION_MEMORY", "2")
    with pytest.raises(InvalidFile, match=r"t.jsonl has 0 MB, too many.*GANGLION_MEMORY"):
        read(path)


# in memory


THREE = ("a b", "", " NA")


@pytest.mark.parametrize(
    "given",
    [list(THREE), THREE, np.array(THREE), np.array(THREE, dtype=object), pd.Series(THREE)],
    ids=["list", "tuple", "array", "objects", "series"],
)
def test_strings_are_one_column_of_text(given):
    data = as_dataset(given)
    assert kinds(data) == {"text": "text"}
    assert data.values("text").tolist() == list(THREE)
    assert as_dataset(given, names=["review"]).names == ("review",)


@pytest.mark.parametrize("given", [[], [1.0, 2.0], ["a", 1], [None, None], np.ones(3), np.array([], dtype=str)])
def test_other_values_on_one_axis_stay_refused(given):
    with pytest.raises(InvalidInput, match="Expected 2D array, got 1D array instead"):
        as_dataset(given)


def test_two_names_for_one_column_of_text():
    with pytest.raises(InvalidInput, match="2 names were given for 1 columns"):
        as_dataset(["a"], names=["a", "b"])


def test_an_estimator_of_tables_says_that_it_reads_no_text():
    texts = [f"text number {i}" for i in range(20)]
    with pytest.raises(InvalidInput, match="MLPClassifier reads tables and images, but texts were given"):
        gg.MLPClassifier(epochs=1).fit(texts, [0, 1] * 10)
