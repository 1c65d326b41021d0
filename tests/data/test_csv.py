"""Delimited text: layout, names, encodings, and everything that can be wrong with it."""

import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.convert import as_dataset
from ganglion.data.csv_file import csv_to_dataset
from ganglion.data.delimiters import has_header, sniff_delimiter
from ganglion.data.ragged import Ragged
from ganglion.data.read import read
from ganglion.errors import DataWarning, InvalidFile, InvalidInput


def parse(text, **options):
    return csv_to_dataset(text if isinstance(text, bytes) else text.encode(), "t.csv", **options)


def same(one, two):
    assert one.fields == two.fields
    for name in one.names:
        a, b = one.columns[name], two.columns[name]
        pairs = [(a.values, b.values), (a.offsets, b.offsets)] if isinstance(a, Ragged) else [(a, b)]
        for x, y in pairs:
            np.testing.assert_array_equal(x.numpy(), y.numpy())


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
tokens = ["one", "two", "three", "four", "five", "six", "seven", ',\n"', ";"]
sentences = st.lists(st.sampled_from(tokens), min_size=6, max_size=9)
cells = {
    "a number": st.floats(-1e9, 1e9) | st.none(),
    "a count": st.integers(-1000, 1000),
    "a truth": st.booleans(),
    "a word": words,
    "a text": sentences.map(" ".join),
    "a day": st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2050-01-01")).map(
        lambda d: d.replace(microsecond=0)
    ),
}


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from([",", ";", "\t"]))
def test_a_frame_written_and_read_is_the_same(data, delimiter):
    n = data.draw(st.integers(2, 12))
    names = data.draw(st.lists(st.sampled_from(sorted(cells)), min_size=2, unique=True))
    columns = {name: data.draw(st.lists(cells[name], min_size=n, max_size=n)) for name in names}
    columns["a last"] = [0.5 + i for i in range(n)]  # numbers below a name tell that there are names
    if all(value is None for value in columns.get("a number", [1])):
        columns["a number"][0] = 1.0  # a column without any value has no kind in a file
    frame = pd.DataFrame(columns)
    text = frame.to_csv(index=False, sep=delimiter)
    same(parse(text), as_dataset(frame))


@settings(max_examples=80)
@given(st.lists(st.lists(st.sampled_from(["a", "b c", "1", "", "x-y", " z"]), min_size=3, max_size=3), min_size=2))
def test_the_fast_path_equals_the_csv_module(rows):
    rows = [["first", "p", "q", "r", "last"], *([f"w{i}", *row, f"v{i}"] for i, row in enumerate(rows))]
    plain, quoted = io.StringIO(), io.StringIO()
    csv.writer(plain, quoting=csv.QUOTE_NONE).writerows(rows)
    csv.writer(quoted, quoting=csv.QUOTE_ALL).writerows(rows)
    assert '"' not in plain.getvalue()
    same(parse(plain.getvalue()), parse(quoted.getvalue()))


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a\tb\n1, x\t2\n3, y\t4\n", "\t"),
        ("a;b\n1,5;2\n3,5;4\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("a|b\n1|2\n", "|"),
        ('a,b\n"x;y",1\n"z;w",2\n', ","),
        ("name\nBob\nAnn\n", None),
    ],
)
def test_delimiter(text, delimiter):
    assert sniff_delimiter(text) == delimiter


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["age", "job"], ["39", "cook"]], True),
        ([["39", "cook"], ["40", "baker"]], False),
        ([["DESC", "how is it"], ["DESC", "what is it"]], False),
        ([["name", "city"], ["Bob", "Rome"]], True),
        ([["", "a"], ["0", "x"]], True),
        ([["0", "1", "2"], ["0.5", "3", "9"]], True),
        ([["country", "1990", "1991"], ["Peru", "7", "9"]], True),
        ([["1", "2", "3"], ["4", "5", "6"]], False),
        ([["this is the first of many sentences", "b"], ["that one here is the second", "c"]], False),
        ([["a", ""], ["1", "2"]], False),
        ([["a", "b"]], True),
    ],
)
def test_header(rows, expected):
    assert has_header(rows) is expected


def test_quotes_newlines_and_blanks():
    data = parse('a, b\n"x, y", "say ""hi"""\n"two\nlines", z\n\n   \n')
    assert data.values("a").tolist() == ["x, y", "two\nlines"]
    assert data.values("b").tolist() == ['say "hi"', "z"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    assert parse(end.join(["a,b", "1,x", "2,y"])).values("b").tolist() == ["x", "y"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding):
    assert parse("städte,n\nKöln,1\n".encode(encoding)).values("städte").tolist() == ["Köln"]


def test_latin_1():
    with pytest.warns(DataWarning, match=r"t.csv is not UTF-8 \(line 2\).*Latin-1"):
        data = parse("city,n\nKöln,1\n".encode("latin-1"))
    assert data.values("city").tolist() == ["Köln"]


def test_decimal_commas():
    data = parse("a;b\n1,5;x\n2,25;y\n3;z\n")
    assert data.values("a").tolist() == [1.5, 2.25, 3.0]


def test_quotes_that_make_no_sense_are_letters():
    with pytest.warns(DataWarning, match="With quotes as ordinary letters"):
        data = parse('n\tt\n1\t"open\n2\tclosed\n3\tnone\n')
    assert data.values("t").tolist() == ['"open', "closed", "none"]


def test_names():
    assert parse("1,a\n2,b\n").names == ("column_1", "column_2")
    assert parse("1,a\n2,b\n", columns=["n", "c"]).names == ("n", "c")
    assert parse(",a\n0,x\n1,y\n").names == ("column_1", "a")
    with pytest.raises(InvalidInput, match=r"columns gives 1 names, but t.csv has 2 columns"):
        parse("1,a\n2,b\n", columns=["n"])


def test_a_long_document():
    assert len(parse(f'a,b\n"{"word " * 60_000}",1\n').columns["a"].values) > 200_000


def test_packed(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,x\n2,y\n"))
    assert read(path, target="b").target == ("b",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n4,5\n", r"t.csv, line 3: 1 fields found, 2 expected \(separated by ','\)"),
        ('a,b\n"x",2\n3,4,5\n6,7\n', r"line 3: 3 fields found, 2 expected"),
        ('a,b\n1,"x\n2,y\n3,z,\n', r"the row that begins in line 2 a quoted field is never closed"),
        ('a,b\n"x"y,1\n"z,",2\n', r"line 2 a closing quote is followed by more"),
        ("a,b\n1,\0\n", r"holds NUL bytes \(first in line 2\)"),
        (b"\x7fELF\x02\x01\x03\x04", r"t.csv is no text: it holds the control byte"),
        ("a,b\n", r"holds the names a, b, but no row of data"),
        (" \n\n", "t.csv is empty"),
        ("a,a\n1,2\n", "more than once: a"),
        ("a,b\n1,inf\n", "column 'b' holds infinity in row 0"),
    ],
)
def test_bad_text(text, message):
    with pytest.raises((InvalidFile, InvalidInput), match=message):
        parse(text)
