"""Which .txt files are texts, and which are tables that are called so."""

import gzip

import pytest

from ganglion.data.read import read
from ganglion.errors import InvalidFile

STORY = "It was late, and nobody, least of all Ann, had slept.\nA dog barked.\n\nThen, at last, morning came.\n" * 5
SCENE = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n" * 5
JAPANESE = "吾輩は猫である。名前はまだ無い。\nどこで生れたかとんと見当がつかぬ。\n" * 5
ONE_LINE = "one two, three four. " * 50

TEXTS = {"story": STORY, "scene": SCENE, "japanese": JAPANESE, "one line": ONE_LINE, "short": "Just a few words here."}
TABLES = {
    "csv": "a,b\n" + "1,2\n" * 8,
    "tabs of sentences": "ham\tSee you at home, then\nspam\tYou have won, call now\n" * 5,
    "semicolons": "x;y;z\n1,5;2;3\n" * 5,
    "numbers": "1.5\n2.5\n-3\n" * 5,
    "names": "anna\nbert\nanna\ncarl\n" * 5,
    "two rows": "name,age\nann,7\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_read_letter_by_letter(name, tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(TEXTS[name].encode())
    data = read(path)
    assert [field.kind for field in data.fields] == ["text"]
    assert data.values("text").tolist() == [TEXTS[name]]
    assert not data.target


@pytest.mark.parametrize("name", TABLES)
def test_tables_stay_tables(name, tmp_path):
    path = tmp_path / "data.txt"
    path.write_text(TABLES[name])
    data = read(path)
    assert len(data) > 1 or name == "two rows"
    assert data.names != ("text",)


def test_only_files_of_texts_are_texts(tmp_path):
    path = tmp_path / "story.csv"
    path.write_text("line one here\nline two here\n")
    assert read(path).names != ("text",)


def test_packed_texts_and_lines_of_other_systems(tmp_path):
    path = tmp_path / "book.txt.gz"
    path.write_bytes(gzip.compress(STORY.replace("\n", "\r\n").encode()))
    assert read(path).values("text").tolist() == [STORY]


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"", "is empty"), (b"  \n \n", "is empty"), (b"words and words\x00\x01\x02 and words" * 9, "is no text.*NUL")],
)
def test_what_is_no_text_is_refused(raw, words, tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes(raw)
    with pytest.raises(InvalidFile, match=words):
        read(path)
