"""Parquet files that are too large for memory are the same data set as in memory, to the bit."""

import numpy as np
import pandas as pd
import pytest
import torch

from ganglion.data.inspection import inspect
from ganglion.data.read import read
from ganglion.errors import InvalidFile, InvalidInput, SaveFailed, UnsupportedType

N = 500


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    moments = pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**8, N), unit="s")
    frame = pd.DataFrame(
        {
            "float": rng.standard_normal(N),
            "single": rng.random(N).astype(np.float32),
            "half": rng.random(N).astype(np.float16),
            "whole": rng.integers(-(2**60), 2**60, N),
            "byte": rng.integers(0, 255, N).astype(np.uint8),
            "gaps": pd.array(rng.integers(0, 9, N), dtype="Int64"),
            "truth": rng.random(N) < 0.5,
            "truth gaps": pd.array(rng.random(N) < 0.5, dtype="boolean"),
            "moment": moments,
            "zone": moments.tz_localize("Europe/Paris", ambiguous="NaT", nonexistent="NaT"),
            "day": moments.date,
            "span": pd.to_timedelta(rng.integers(0, 1000, N), unit="s"),
            "label": rng.choice(["x", " y ", "z", None], N),
            "coded": pd.Categorical(rng.choice(["u", "v"], N)),
            "coded numbers": pd.Categorical(rng.choice([1, 2], N)),
            "numbers as text": rng.integers(0, 9, N).astype(str),
            "truth as text": rng.choice(["True", "False", ""], N),
            "days as text": moments.strftime("%Y-%m-%d"),
            "with.dot": rng.random(N),
            "with": rng.random(N),
            "nothing": [None] * N,
        }
    )
    frame.loc[::7, ["float", "single"]] = np.nan
    frame.loc[::5, ["gaps", "truth gaps", "moment"]] = None
    return frame


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setenv("GANGLION_MEMORY", "0.1")


def assert_same(one, two):
    assert one.fields == two.fields
    for name in one.names:
        a, b = one.columns[name], two.columns[name]
        if isinstance(a, torch.Tensor):
            assert a.dtype == b.dtype
            assert torch.equal(a.nan_to_num(-1e300), b.nan_to_num(-1e300)), name
        else:
            assert torch.equal(a.values, b.values)
            assert torch.equal(a.offsets, b.offsets)


@pytest.mark.parametrize("options", [{"row_group_size": 130}, {"compression": "zstd", "version": "1.0"}])
def test_every_kind_of_column(tmp_path, monkeypatch, frame, options):
    frame.to_parquet(tmp_path / "a.parquet", **options)
    here = read(tmp_path / "a.parquet", target="label")
    monkeypatch.setenv("GANGLION_MEMORY", "0.4")
    there = read(tmp_path / "a.parquet", target="label")
    assert (here.is_on_disk, there.is_on_disk) == (False, True)
    assert (there.target, there.source) == (("label",), "a.parquet")
    assert_same(here, there)
    assert here.X_y()[1].tolist() == there.X_y()[1].tolist()


@pytest.mark.parametrize("megabytes", ["0.4", "1000"])
@pytest.mark.parametrize("given", ["folder", "list"])
def test_several_files(tmp_path, monkeypatch, frame, megabytes, given):
    whole = read(_written(frame, tmp_path / "a.parquet"))
    folder = tmp_path / "parts"
    folder.mkdir()
    paths = [
        _written(part, folder / f"{i}.parquet") for i, part in enumerate((frame[:200], frame[200:210], frame[210:]))
    ]
    monkeypatch.setenv("GANGLION_MEMORY", megabytes)
    data = read(folder if given == "folder" else paths)
    assert data.is_on_disk == (megabytes == "0.4")
    assert data.source == ("parts" if given == "folder" else "0.parquet and 2 more")
    assert_same(whole, data)


def _written(frame, path):
    frame.to_parquet(path)
    return path


def test_several_files_that_do_not_belong_together(tmp_path):
    one = _written(pd.DataFrame({"a": [1, 2], "b": [1, 2]}), tmp_path / "one.parquet")
    two = _written(pd.DataFrame({"a": [1.5, 2], "b": [1, 2]}), tmp_path / "two.parquet")
    with pytest.raises(
        InvalidFile, match=r"two\.parquet has other columns than one\.parquet: a \(double\), b \(int64\)"
    ):
        read(tmp_path)
    (tmp_path / "three.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidFile, match=r"three\.csv is no Parquet file; only those are read together"):
        read([one, two, tmp_path / "three.csv"])
    with pytest.raises(InvalidFile, match="no file was given"):
        read([])


def test_free_text(tmp_path, monkeypatch):
    texts = [f"the sentence number {i} is unlike all others" for i in range(N)]
    pd.DataFrame({"text": texts, "x": np.arange(N) % 7}).to_parquet(tmp_path / "a.parquet")
    here = read(tmp_path / "a.parquet")
    assert here.field("text").kind == "text"
    monkeypatch.setenv("GANGLION_MEMORY", "0.5")
    monkeypatch.setattr("ganglion.data.parquet_file.is_large", lambda n_bytes: True)
    there = read(tmp_path / "a.parquet")
    assert there.is_on_disk
    assert_same(here, there)
    monkeypatch.setenv("GANGLION_MEMORY", "0.1")
    with pytest.raises(InvalidInput, match=r"column 'text' holds 500 different texts.*Leave the column out"):
        read(tmp_path / "a.parquet")


def test_flaws_are_named_as_in_memory(tmp_path, small_memory):
    path = tmp_path / "a.parquet"
    column = np.arange(9000.0)
    column[8000] = np.inf
    with pytest.raises(InvalidInput, match="column 'b' holds infinity in row 8000"):
        read(_written(pd.DataFrame({"a": np.arange(9000), "b": column}), path))
    with pytest.raises(UnsupportedType, match="column 'b' holds List"):
        read(_written(pd.DataFrame({"a": np.arange(9000), "b": [[1, 2]] * 9000}), path))
    content = _written(pd.DataFrame({"a": np.arange(9000.0), "b": column}), path).read_bytes()
    path.write_bytes(content[:5000] + b"\0" * 3000 + content[8000:])
    with pytest.raises(InvalidFile, match=r"a\.parquet is cut or damaged"):
        read(path)


def test_no_room_on_disk(tmp_path, monkeypatch, small_memory):
    path = _written(pd.DataFrame({"a": np.arange(9000)}), tmp_path / "a.parquet")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000}))
    with pytest.raises(SaveFailed, match=r"need 0 MB of temporary disk space, but .* has 0 MB free"):
        read(path)


def test_a_text_file_too_large_for_memory_says_how_to_convert_it(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    pd.DataFrame({"a": np.arange(9000), "b": np.arange(9000) / 7}).to_csv(path, index=False)
    here = read(path)
    monkeypatch.setenv("GANGLION_MEMORY", "1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidFile, match=r"so large a text does not fit memory") as caught:
        read(path)
    lines = [line.strip("\n") for line in str(caught.value).splitlines(keepends=True) if line.startswith("    ")]
    exec("\n".join(line[4:] for line in lines))  # what the message says to do
    there = read("a.parquet")
    assert there.is_on_disk
    assert_same(here, there)


def test_inspection_looks_at_a_sample(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((3000, 5)), columns=list("abcde")).assign(y=rng.choice(["p", "q"], 3000))
    frame["leak"] = frame["y"] == "p"
    path = _written(frame, tmp_path / "a.parquet")
    assert "sample" not in {each.check for each in inspect(path, target="y").findings}
    monkeypatch.setenv("GANGLION_MEMORY", "0.2")
    seen = inspect(path, target="y")
    assert (seen.n_samples, seen.task.name) == (3000, "binary")
    assert [(each.check, each.column) for each in seen.findings] == [("leakage", "leak"), ("sample", "")]
    rows = int(0.2 * 2**20) // 16 // (5 * 8 + 8 + 4)
    assert f"of {rows} rows drawn at random" in seen.findings[1].text
    assert sum(seen.balance.values()) == rows
