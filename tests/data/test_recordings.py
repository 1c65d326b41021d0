"""Recordings as data: folders, zips, tables, files and arrays; of any rate and format, whole and damaged."""

import json
import zipfile

import numpy as np
import pytest
import torch

import ganglion as gg
from ganglion.data import memory
from ganglion.data.convert import as_dataset
from ganglion.data.inspection import inspect
from ganglion.data.read import read, read_test_part
from ganglion.data.recording_files import resampled
from ganglion.data.recordings import holds_recordings
from ganglion.data.spool import is_on_disk
from ganglion.errors import DataWarning, InvalidFile, InvalidInput, InvalidParameter

from .sounds import RATE, put, tone, wav

pytest.importorskip("soundfile")


def birds(folder, suffix=".wav"):
    for i in range(3):
        put(folder / "owl" / f"{i}{suffix}", tone(200 + i))
        put(folder / "wren" / f"{i}{suffix}", tone(900 + i, 0.1))
    return folder


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def samples_of(data, i):
    return data.values(data.features[0].name)[i][1]


# folders and zips


def test_a_folder_a_class(tmp_path):
    data = read(birds(tmp_path / "birds"))
    assert {field.name: field.kind for field in data.fields} == {
        "audio": "audio",
        "class": "categorical",
        "file": "text",
        "seconds": "numeric",
    }
    assert data.target == ("class",)
    assert data.index == ("file", "seconds")
    X, y = data.X_y()
    assert y.tolist() == ["owl"] * 3 + ["wren"] * 3
    assert X.field("audio").rate == RATE
    assert data.values("seconds").tolist() == [0.2] * 3 + [0.1] * 3
    assert data.values("file").tolist()[0] == "owl/0.wav"
    rate, samples = X.values("audio")[4]
    assert (rate, samples.dtype, len(samples)) == (RATE, np.int16, 400)
    np.testing.assert_array_equal(samples, np.round(tone(901, 0.1) * 32767).astype(np.int16))


def test_a_zip_is_read_as_the_folder_is(tmp_path):
    folder = read(birds(tmp_path / "birds"))
    packed = read(zipped(tmp_path / "birds", tmp_path / "birds.zip"))
    assert packed.source == "birds.zip"
    assert torch.equal(packed.columns["audio"].values, folder.columns["audio"].values)
    assert packed.values("class").tolist() == folder.values("class").tolist()


@pytest.mark.parametrize(("suffix", "loss"), [(".flac", 0.0), (".ogg", 0.1)])
def test_flac_is_exact_and_ogg_is_close(tmp_path, suffix, loss):
    put(tmp_path / "a" / f"x{suffix}", tone(440, 0.5, 8000), 8000)
    put(tmp_path / "b" / "y.wav", tone(440, 0.5, 8000), 8000)
    data = read(tmp_path)
    one, other = (samples_of(data, i).astype(np.float64) / 2**15 for i in (0, 1))
    assert len(one) == len(other)
    assert np.sqrt(np.mean((one - other) ** 2)) <= loss


def test_parts_by_folders(tmp_path):
    birds(tmp_path / "d" / "train")
    put(tmp_path / "d" / "test" / "owl" / "9.wav", rate=8000)
    train = read(tmp_path / "d")
    assert len(train) == 6
    test = read_test_part(tmp_path / "d", train)
    assert test.values("class").tolist() == ["owl"]
    assert test.field("audio").rate == RATE  # brought to that of training


def test_recordings_without_classes(tmp_path):
    put(tmp_path / "7_jackson_32.wav")
    put(tmp_path / "8_jackson_3.wav")
    data = read(tmp_path)
    assert data.target == ()
    assert data.values("file").tolist() == ["7_jackson_32.wav", "8_jackson_3.wav"]


def test_recordings_beside_the_classes_are_left_out_and_told(tmp_path):
    put(birds(tmp_path / "b") / "stray.wav")
    with pytest.warns(DataWarning, match=r"1 recording is beside the folders of the classes.*stray\.wav"):
        assert len(read(tmp_path / "b")) == 6


# tables


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_table_of_transcripts(tmp_path, suffix, inside):
    rows = [(f"clips/{i}.wav", text) for i, text in enumerate(["one two", "three", "four five six"])]
    for name, _ in rows:
        put(tmp_path / name)
    if suffix == ".jsonl":
        lines = [json.dumps({"path": name, "transcript": text}) for name, text in rows]
    else:
        mark = "," if suffix == ".csv" else "\t"
        lines = [mark.join(row) for row in [("path", "transcript"), *rows]]
    table = tmp_path / f"list{suffix}"
    table.write_text("\n".join(lines))
    data = read(tmp_path if inside else table)
    assert data.target == ("transcript",)
    assert data.values("transcript").tolist() == [text for _, text in rows]
    assert data.index == ("file", "seconds")


def test_a_table_with_more_columns_takes_the_transcript(tmp_path):
    for i in range(3):
        put(tmp_path / f"{i}.wav")
    (tmp_path / "meta.csv").write_text(
        "file_name,speaker,sentence\n0.wav,a,hello there\n1.wav,b,good day\n2.wav,a,bye\n"
    )
    data = read(tmp_path)
    assert data.target == ("sentence",)
    assert data.values("sentence").tolist() == ["hello there", "good day", "bye"]


def test_a_zip_of_flat_files_with_a_table(tmp_path):
    for i in range(2):
        put(tmp_path / "r" / f"{i}_x.wav")
    (tmp_path / "r" / "labels.csv").write_text("name,digit\n0_x.wav,zero\n1_x.wav,one\n")
    data = read(zipped(tmp_path / "r", tmp_path / "r.zip"))
    assert data.target == ("digit",)
    assert data.values("digit").tolist() == ["zero", "one"]


def test_files_that_a_table_names_and_nobody_has(tmp_path):
    put(tmp_path / "0.wav")
    (tmp_path / "l.csv").write_text("path,label\n0.wav,a\n1.wav,b\n")
    with pytest.warns(
        DataWarning, match=r"1 of 2 recordings cannot be read: 1\.wav does not exist\. They are left out"
    ):
        assert read(tmp_path).values("label").tolist() == ["a"]
    with pytest.raises(InvalidFile, match=r"1\.wav does not exist.*corrupt='skip'"):
        read(tmp_path, corrupt="refuse")
    (tmp_path / "l.csv").write_text("path,label\n2.wav,a\n1.wav,b\n")
    with pytest.raises(InvalidFile, match="none of the 2 recordings"):
        read(tmp_path)


# rates and channels


def test_all_are_brought_to_the_rate_that_most_have(tmp_path):
    for i, rate in enumerate([8000, 4000, 8000]):
        put(tmp_path / f"{i}.wav", tone(300, 0.5, rate), rate)
    with pytest.warns(DataWarning, match=r"1 of 3 are brought to 8,000 samples a second \(1 with 4,000\)"):
        data = read(tmp_path)
    one, slower = (samples_of(data, i)[200:-200].astype(float) for i in (0, 1))
    assert np.abs(one - slower).max() < 0.02 * 2**15


def test_high_rates_are_brought_down_unless_asked_for(tmp_path):
    put(tmp_path / "x.wav", rate=44100)
    with pytest.warns(DataWarning, match="16,000 samples a second"):
        assert read(tmp_path).fields[0].rate == 16000
    assert read(tmp_path, rate=44100).fields[0].rate == 44100
    assert read(tmp_path, rate=8000).fields[0].rate == 8000


@pytest.mark.parametrize("rate", [0, -1, 16.0, "16k", 10**6])
def test_rates_that_are_none(tmp_path, rate):
    put(tmp_path / "x.wav")
    with pytest.raises(InvalidParameter, match=r"rate=.*16 kHz is 16000"):
        read(tmp_path, rate=rate)


def test_a_rate_for_what_is_no_sound(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InvalidParameter, match="rate is for recordings"):
        read(tmp_path / "t.csv", rate=8000)


def test_resampling_keeps_a_tone_and_drops_what_is_too_high():
    low, high = tone(300, 0.5, 16000), tone(3500, 0.5, 16000)
    found = resampled((low + high).astype(np.float32), 16000, 4000)
    assert len(found) == 2000
    np.testing.assert_allclose(found[100:-100], tone(300, 0.5, 4000)[100:-100], atol=0.01)


def test_channels_are_mixed(tmp_path):
    put(tmp_path / "x.wav", np.stack([tone(300), np.zeros(800)], 1))
    put(tmp_path / "y.wav", tone(300) / 2)
    data = read(tmp_path)
    assert np.abs(samples_of(data, 0).astype(int) - samples_of(data, 1)).max() <= 1


def test_more_than_16_bits_stay_floats(tmp_path):
    put(tmp_path / "x.wav", tone() * 1e-5, subtype="FLOAT")
    with pytest.warns(DataWarning, match="silent"):
        samples = samples_of(read(tmp_path), 0)
    np.testing.assert_allclose(samples, tone() * 1e-5, rtol=1e-6)
    assert samples.dtype == np.float32


def test_what_is_too_large_for_memory_lies_on_disk(tmp_path, monkeypatch):
    folder = birds(tmp_path / "b")
    expected = read(folder).columns["audio"].values.clone()
    monkeypatch.setenv(memory.VARIABLE, "0.02")
    data = read(folder)
    assert is_on_disk(data.columns["audio"].values)
    assert torch.equal(data.columns["audio"].values, expected)


# in memory


def test_pairs_of_rate_and_samples():
    X = [(RATE, tone(200)), (RATE, tone(300, 0.1).astype(np.float32)), (RATE, torch.from_numpy(tone(400)))]
    data = as_dataset(X)
    assert (data.fields[0].kind, data.fields[0].rate) == ("audio", RATE)
    assert data.columns["audio"].lengths.tolist() == [800, 400, 800]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_whole_numbers_span_their_type(dtype):
    limits = np.iinfo(dtype)
    middle = 128 if dtype == np.uint8 else 0
    samples = np.round(tone() * (limits.max - middle) + middle).astype(dtype)
    found = as_dataset([(RATE, samples), (RATE, tone())]).columns["audio"]
    one, other = found.split()
    assert float((one - other).abs().max()) < 0.01


def test_16_bits_in_memory_stay_as_they_are():
    samples = np.round(tone() * 2**14).astype(np.int16)
    data = as_dataset([(RATE, samples), (RATE, samples[:5])])
    assert data.columns["audio"].dtype == torch.int16
    np.testing.assert_array_equal(samples_of(data, 0), samples)


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        ((0, tone()), r"recording 1 has the rate 0\. Give its samples a second, a whole number from 1,000"),
        ((44.1, tone()), "recording 1 has the rate 44.1"),
        ((None, tone()), "recording 1 has the rate None"),
        ((RATE, np.empty(0)), r"recording 1 holds no sample \(0 seconds\)"),
        ((RATE, np.where(np.arange(800) == 5, np.nan, tone())), "recording 1 holds NaN or infinity, first in sample 5"),
        ((RATE, np.where(np.arange(800) == 9, np.inf, tone())), "recording 1 holds NaN or infinity, first in sample 9"),
        ((RATE, np.array(["a", "b"])), "recording 1 holds <U1 values"),
        ((RATE, np.zeros((2, 3, 4))), r"recording 1 has shape \(2, 3, 4\)"),
        ((RATE, np.zeros((2, 800))), r"recording 1 has shape \(2, 800\), 800 channels.*transpose"),
    ],
)
def test_recordings_in_memory_that_are_refused(recording, words):
    with pytest.raises(InvalidInput, match=words):
        as_dataset([(RATE, tone()), recording])


def test_silence_is_told():
    with pytest.warns(DataWarning, match=r"1 of 2 are silent: recording 1\. Nothing can be learned"):
        as_dataset([(RATE, tone()), (RATE, np.full(100, 0.3))])


def test_what_holds_recordings(tmp_path):
    assert holds_recordings([(RATE, tone())])
    assert holds_recordings(["a.wav", tmp_path / "b.FLAC"])
    assert not holds_recordings(["a.wav", "a text"])
    assert not holds_recordings([tone(), tone()])
    assert not holds_recordings([])
    assert not holds_recordings("a.wav")


# damaged files


def cut(raw, keep=0.6):
    return raw[: int(len(raw) * keep)]


def encoded(tmp_path, name, seconds=2.0):
    return put(
        tmp_path / "whole" / name,
        tone(440, seconds, 8000) + 0.01 * np.random.default_rng(0).normal(size=int(8000 * seconds)),
        8000,
    ).read_bytes()


def test_recordings_that_cannot_be_read(tmp_path):
    folder = tmp_path / "b"
    bad = {
        "cut.wav": cut(wav(tone())),
        "cut.flac": cut(encoded(tmp_path, "x.flac")),
        "cut.ogg": cut(encoded(tmp_path, "x.ogg")),
        "empty.wav": b"",
        "zero.wav": wav(np.empty(0)),
        "text.wav": b"this is no sound at all, though its name says so",
        "nan.wav": wav(np.where(np.arange(800) == 80, np.nan, tone()), subtype="FLOAT"),
    }
    for name, raw in bad.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(raw)
    put(folder / "whole.wav")
    with pytest.warns(DataWarning) as told:
        data = read(folder)
    assert data.values("file").tolist() == ["whole.wav"]
    words = " ".join(str(each.message) for each in told)
    assert "7 of 8 recordings cannot be read" in words
    for part in (
        "cut.wav was cut off: 942 of 1,600 bytes of its sound are there",
        "cut.flac ",
        "cut.ogg was cut off",
        "empty.wav is empty (0 bytes)",
        "zero.wav holds no sample (0 seconds)",
        "text.wav is no recording that can be read (WAV, FLAC, Ogg)",
        "nan.wav holds NaN or infinity, first after 0.02 s",
    ):
        assert part in words, part


def test_silent_files_are_told_by_name(tmp_path):
    put(tmp_path / "a.wav")
    put(tmp_path / "b.wav", np.zeros(500))
    with pytest.warns(DataWarning, match=r"1 of 2 are silent: b\.wav"):
        assert len(read(tmp_path)) == 2


# what is seen of them


def test_inspection(tmp_path):
    seen = inspect(birds(tmp_path / "birds"))
    assert seen.task.name == "binary"
    shown = next(column.summary for column in seen.columns if column.kind == "audio")
    assert shown == "0.1 … 0.2 s, mean 0.15 s; 4,000 samples a second, 0.015 minutes in all"


def test_selection(tmp_path):
    chosen = gg.select(birds(tmp_path / "birds"))
    assert chosen.name == "CNNClassifier"
    assert "recordings" in chosen.reason
    X = [(RATE, tone(200 + i)) for i in range(6)]
    assert gg.select(X, ["one two", "three", "four one", "five", "two two", "six"]).name == "SpeechRecognizer"
    assert gg.select(X, ["one", "two"] * 3).name == "CNNClassifier"
    assert gg.select(X, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]).name == "CNNRegressor"
