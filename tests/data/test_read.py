"""Files of every kind, whole, damaged and hostile."""

import gzip
import io
import struct
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow.feather
import pytest

from ganglion.data.public import find
from ganglion.data.read import read
from ganglion.errors import InvalidFile, InvalidInput, InvalidParameter, MissingExtra

IMAGES = np.arange(5 * 4 * 6, dtype=np.uint8).reshape(5, 4, 6)
LABELS = np.array([1, 0, 2, 1, 0], dtype=np.uint8)


def public(name):
    try:
        return find(name)
    except InvalidFile as error:
        pytest.skip(str(error))


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(path, content):
    path.write_bytes(content)
    return path


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "t.csv", b"age,job,pay\n30,cook,1.5\n40,baker,2.5\n")


@pytest.mark.parametrize(
    ("target", "chosen"),
    [("pay", ["pay"]), (-1, ["pay"]), ("-1", ["pay"]), ("0", ["age"]), (["age", -1], ["age", "pay"])],
)
def test_target(table, target, chosen):
    assert list(read(table, target=target).target) == chosen


@pytest.mark.parametrize(
    ("target", "message"),
    [("pai", "Did you mean 'pay'"), (3, r"target=3.*3 columns, at the positions 0 to 2"), ("7", "7")],
)
def test_unknown_target(table, target, message):
    with pytest.raises(InvalidInput, match=message):
        read(table, target=target)


def test_columns_replace_names(table):
    assert read(table, columns=["a", "b", "c"], target="c").names == ("a", "b", "c")


@pytest.mark.parametrize("packed", [False, True])
def test_idx_finds_its_labels(tmp_path, packed):
    pack, end = (gzip.compress, ".gz") if packed else (bytes, "")
    path = write(tmp_path / f"train-images-idx3-ubyte{end}", pack(idx(IMAGES)))
    assert read(path).target == ()
    write(tmp_path / f"train-labels-idx1-ubyte{end}", pack(idx(LABELS)))
    data = read(path)
    np.testing.assert_array_equal(data.columns["image"][:, 0].numpy(), IMAGES)
    assert data.X_y()[1].tolist() == ["1", "0", "2", "1", "0"]
    write(tmp_path / f"train-labels-idx1-ubyte{end}", pack(idx(LABELS[:4])))
    with pytest.raises(InvalidFile, match=r"holds 5 images, but .* holds 4 labels"):
        read(path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (idx(IMAGES)[:-1], r"cut or damaged.*claims the shape \(5, 4, 6\)"),
        (idx(IMAGES) + b"x", "cut or damaged"),
        (b"\0\0\x07\x03" + idx(IMAGES)[4:], "no IDX file: it begins with the bytes 00 00 07 03"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 2**31) + b"abc", "bytes of file cannot hold that"),
        (b"\0\0\x08", "no IDX file"),
    ],
)
def test_bad_idx(tmp_path, content, message, packed):
    end = ".gz" if packed else ""
    path = write(tmp_path / f"x-images-idx3-ubyte{end}", gzip.compress(content) if packed else content)
    with pytest.raises(InvalidFile, match=message):
        read(path)


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (("X", "y"), "y"),
        (("x", "y"), "y"),
        (("data", "target"), "y"),
        (("images", "labels"), "label"),
        (("x_train", "y_train"), "y"),
    ],
)
def test_npz(tmp_path, names, target):
    np.savez_compressed(tmp_path / "a.npz", **dict(zip(names, (np.ones((5, 3), "float32"), LABELS), strict=True)))
    data = read(tmp_path / "a.npz")
    assert data.names == ("x", target)
    assert data.target == (target,)


def test_npz_parts_and_class_names(tmp_path):
    names = np.array(["cat", "dog", "eel"])
    parts = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:2], "y_test": LABELS[:2], "class_names": names}
    np.savez(tmp_path / "a.npz", **parts)
    assert read(tmp_path / "a.npz").X_y()[1].tolist() == ["dog", "cat", "eel", "dog", "cat"]
    assert len(read(tmp_path / "a.npz", part="test")) == 2
    with pytest.raises(InvalidParameter, match="part='all'"):
        read(tmp_path / "a.npz", part="all")


def test_npz_of_columns_and_npy(tmp_path):
    np.savez(tmp_path / "a.npz", age=np.arange(4), job=np.array(list("abab")))
    assert read(tmp_path / "a.npz", target="job").names == ("age", "job")
    np.save(tmp_path / "a.npy", np.eye(4))
    data = read(tmp_path / "a.npy", target=-1)
    assert data.target == ("x3",)
    assert read(tmp_path / "a.npy", columns=list("abcd")).names == ("a", "b", "c", "d")


def forged(shape):
    """An array whose head claims another shape than its bytes have."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return stream.getvalue() + b"\0" * 8


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"X": npy(np.array([{}, 1], dtype=object), allow_pickle=True)},
            "pickled objects, which could run any program",
        ),
        ({"X": forged((2**40,))}, r"array 'X' is cut or damaged: its head claims the shape \(1099511627776,\)"),
        ({"X": forged((2, 2))[:-5]}, "cut or damaged"),
        ({"X": b"nonsense"}, "cut or damaged"),
        (
            {"A": npy(np.ones((3, 2))), "B": npy(np.ones(4))},
            r"holds A \(3, 2\), B \(4,\); none is known to hold samples",
        ),
        ({"X": npy(np.ones((3, 2))), "y": npy(np.ones(2))}, "'X' holds 3 samples, but 'y' holds 2"),
    ],
)
def test_bad_npz(tmp_path, members, message):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    with pytest.raises(InvalidFile, match=message):
        read(tmp_path / "a.npz")


def test_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr("ganglion.data.npz_file.SMALL", 1000)
    monkeypatch.setattr("ganglion.data.gzip_file.SMALL", 1000)
    np.savez_compressed(tmp_path / "a.npz", X=np.zeros((1000, 1000)))
    with pytest.raises(InvalidFile, match=r"claims 8,000,128 bytes.*zip bomb"):
        read(tmp_path / "a.npz")
    write(tmp_path / "a.csv.gz", gzip.compress(b"1,2\n" * 1_000_000))
    with pytest.raises(InvalidFile, match=r"unpacks to more than .* as a zip bomb does"):
        read(tmp_path / "a.csv.gz")


def test_cut_files(tmp_path):
    rows = "\n".join(f"{i},{i * i}" for i in range(500)).encode()
    np.savez(tmp_path / "a.npz", X=np.ones((9, 9)))
    pd.DataFrame({"a": range(99)}).to_parquet(tmp_path / "a.parquet")
    np.save(tmp_path / "a.npy", np.ones((9, 9)))
    write(tmp_path / "a.csv.gz", gzip.compress(rows))
    for name in ("a.npz", "a.parquet", "a.npy", "a.csv.gz"):
        content = (tmp_path / name).read_bytes()
        with pytest.raises(InvalidFile, match=rf"{name}.* cut or damaged"):
            read(write(tmp_path / name, content[: len(content) * 2 // 3]))


def test_pickled_npy(tmp_path):
    with pytest.raises(InvalidFile, match=r"a\.npy holds pickled objects"):
        read(write(tmp_path / "a.npy", npy(np.array([{}], dtype=object), allow_pickle=True)))


def test_parquet_and_feather(tmp_path):
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", "y"], "d": pd.to_datetime(["2024-01-01", None])})
    frame.to_parquet(tmp_path / "a.parquet")
    pyarrow.feather.write_feather(frame, tmp_path / "a.feather")
    for name in ("a.parquet", "a.feather"):
        assert [field.kind for field in read(tmp_path / name, target="b").fields] == ["numeric", "categorical", "date"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "t.csv is empty"),
        ("t.xlsx", b"PK\x03\x04rest", r"\.xlsx files are not supported\. Export the sheet as CSV"),
        ("t.json", b"[1]", r"\.json files are not supported.*Supported: CSV"),
        ("t.pkl", b"\x80\x04K\x01.", "Pickle runs any program"),
        ("t.npz", b"a,b\n1,2\n", r"is no \.npz file: it begins with b'a,b"),
        ("t.parquet", b"a,b\n1,2\n", r"is no \.parquet file"),
        ("t.csv", b"\x89PNG\r\n\x1a\n\0\0", "t.csv is no text"),
    ],
)
def test_what_is_no_table(tmp_path, name, content, message):
    with pytest.raises(InvalidFile, match=message):
        read(write(tmp_path / name, content))


def test_missing_files_and_folders(table):
    with pytest.raises(InvalidFile, match=r"t.cvs does not exist\. Did you mean 't.csv'\?"):
        read(table.with_name("t.cvs"))
    with pytest.raises(InvalidFile, match="nor does its folder"):
        read(table.parent / "no" / "t.csv")
    with pytest.raises(InvalidFile, match=r"is a folder or zip without pictures or Parquet files; it holds 1 \.csv"):
        read(table.parent)


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [
        ("adult/adult.data", 32_561, 15),
        ("adult/adult.test", 16_281, 15),
        ("titanic/titanic.csv", 891, 12),
        ("sonar/sonar.csv", 208, 61),
        ("compas/compas-scores-two-years.csv", 7_214, 46),
        ("wine_quality/winequality-red.csv", 1_599, 12),
        ("bike_sharing/hour.csv", 17_379, 17),
        ("trec/train.tsv", 5_452, 3),
        ("ag_news/train.csv", 6_000, 3),
        ("molecules/tox21.csv.gz", 8_014, 14),
        ("mnist/t10k-images-idx3-ubyte.gz", 10_000, 2),
        ("anomaly_tables/cardio.npz", 1_831, 2),
    ],
)
def test_public_data(name, rows, columns):
    data = read(public(name))
    assert (len(data), len(data.fields)) == (rows, columns)


@pytest.mark.parametrize("name", ["a.parquet", "a.feather"])
def test_without_pyarrow(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = write(tmp_path / name, {"a.parquet": b"PAR1....", "a.feather": b"ARROW1.."}[name])
    with pytest.raises(MissingExtra, match=rf'{name} needs the package pyarrow.*pip install "ganglion\[tables\]"'):
        read(path)


def test_a_parquet_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("ganglion.data.parquet_file.SMALL", 10)
    monkeypatch.setattr("ganglion.data.parquet_file.DEFLATE_RATIO", 0)
    pd.DataFrame({"a": range(99)}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InvalidFile, match=r"claims to unpack to .* as a zip bomb does"):
        read(tmp_path / "a.parquet")
