"""Folders, zips and JSON of music, read; and pieces written as notes or as sound."""

import json
import wave
import zipfile

import numpy as np
import pytest

from ganglion.data.chords import chords_of, music_in
from ganglion.data.midi_file import write_midi
from ganglion.data.music_files import write_music
from ganglion.data.read import read, read_test_part
from ganglion.data.tones import RATE, tones
from ganglion.errors import DataWarning, InvalidFile, InvalidParameter
from ganglion.estimators.selection import select


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "songs" / "bach").mkdir(parents=True)
    write_midi(tmp_path / "songs" / "a.mid", [[60], [62]])
    write_midi(tmp_path / "songs" / "bach" / "b.MIDI", [[64], [65], [67]])
    (tmp_path / "songs" / "readme.txt").write_text("Two pieces.")
    return tmp_path / "songs"


def chords(data):
    return [chords_of(each.numpy()) for each in music_in(data)[1].split()]


def test_a_folder_is_a_piece_a_file(folder):
    data = read(folder)
    assert chords(data) == [[(60,), (62,)], [(64,), (65,), (67,)]]
    assert data.values("file").tolist() == ["a.mid", "bach/b.MIDI"]
    assert (data.index, data.field("music").step, data.source) == (("file",), "1/4", "songs")
    assert len(music_in(read(folder, step="1/8"))[1].values) == 10


def test_a_zip_and_single_files_too(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "songs.zip", "w") as archive:
        for file in folder.rglob("*.mid"):
            archive.write(file, file.name)
    assert chords(read(tmp_path / "songs.zip")) == [[(60,), (62,)]]
    assert chords(read(folder / "a.mid")) == [[(60,), (62,)]]
    assert len(read([folder / "a.mid", folder / "bach" / "b.MIDI"])) == 2
    (folder / "a.mid").rename(folder / "nameless")
    assert chords(read(folder / "nameless")) == [[(60,), (62,)]]


def test_parts(folder):
    for part in ("train", "test"):
        (folder / part).mkdir()
    (folder / "a.mid").rename(folder / "train" / "a.mid")
    (folder / "bach" / "b.MIDI").rename(folder / "test" / "b.midi")
    assert chords(read(folder)) == [[(60,), (62,)]]
    training = read(folder, step="1/8")
    tested = read_test_part(folder, training)
    assert tested.field("music").step == "1/8"  # read as the training part was
    assert len(music_in(tested)[1].values) == 6
    assert read_test_part(folder / "train" / "a.mid", training) is None


def test_what_is_no_midi_is_left_out_by_name(folder):
    (folder / "c.mid").write_bytes(b"no music")
    with pytest.warns(DataWarning, match=r"1 of 3 pieces cannot be read: c.mid is no MIDI file.*They are left out"):
        assert len(read(folder)) == 2
    with pytest.raises(InvalidFile, match=r"c.mid is no MIDI file: it begins with b'no m'.*Mend or remove"):
        read(folder, corrupt="refuse")
    with pytest.raises(InvalidFile, match=r"none of the 1 MIDI files of c.mid can be read"):
        read(folder / "c.mid")


def test_notes_that_are_left_out_are_told(folder):
    import mido

    midi = mido.MidiFile(folder / "a.mid")
    midi.tracks[0][1] = midi.tracks[0][1].copy(note=5)
    midi.save(folder / "a.mid")
    with pytest.warns(DataWarning, match="1 of 5 notes lie outside the 88 keys of a piano"):
        read(folder)
    write_midi(folder / "a.mid", [[60 + i] for i in range(8)], step="1/16")
    with pytest.warns(DataWarning, match=r"6 of 11 notes begin and end between two steps of 1/4.*step='1/16'"):
        read(folder)


def test_json_in_the_shape_of_the_chorales(tmp_path):
    path = tmp_path / "chorales.json"
    parts = {"test": [[[60, 64], [-1, 62]]], "train": [[[60]], [[61], []]], "valid": [[[62]]]}
    path.write_text(json.dumps(parts, indent=1))
    data = read(path)
    assert chords(data) == [[(60,)], [(61,), ()], [(62,)]]
    assert chords(read(path, part="test")) == chords(read_test_part(path, data)) == [[(60, 64), (62,)]]
    assert data.field("music").step == ""
    del parts["test"]
    path.write_text(json.dumps(parts))
    assert chords(read(path)) == [[(60,)], [(61,), ()]]
    assert chords(read_test_part(path, data)) == [[(62,)]]
    path.write_text(json.dumps(parts["train"]))
    assert chords(read(path)) == [[(60,)], [(61,), ()]]
    assert read_test_part(path, data) is None
    with pytest.raises(InvalidFile, match="has no part 'test'"):
        read(path, part="test")


def test_the_algorithm_is_found_and_why(tmp_path, folder):
    path = tmp_path / "chorales.json"
    path.write_text("[[[60]]]")
    for data in (path, folder):
        assert str(select(data)) == (
            "MusicModel: music modelling from pieces of music; the data are pieces of music, and there is no target"
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"train": [[[60, 64], [2]]]}', r"m\.json, train, piece 0, step 1: the note 2 is D-1, and not on a piano"),
        ('{"train": [[[60, 200]]]}', r"step 0: the note 200 is no MIDI pitch \(0 to 127\)"),
        ('{"train": [[[60.5]]]}', "60.5 is no MIDI pitch, which are whole numbers"),
        ('{"train": [[[NaN]]]}', "step 0: the chord holds NaN"),
        ('{"train": [[[60]], []]}', "piece 1 is empty: it has no chord"),
        ('{"train": [[["C4"]]]}', "'C4' is a str, and no MIDI pitch"),
        ('{"train": [[[60, 64], [6', "begins as JSON with pieces of music, but is cut off or damaged"),
        ('{"pixels": [[[60]]]}', r"\.json files are not supported"),
        ('{"a": 1}', r"\.json files are not supported"),
    ],
)
def test_bad_json(tmp_path, content, message):
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(InvalidFile, match=message):
        read(tmp_path / "m.json")


def test_a_length_of_steps_is_for_midi_alone(tmp_path):
    (tmp_path / "m.json").write_text("[[[60]]]")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidParameter, match=r"says how MIDI files are to be read, but m\.json says nothing of its"):
        read(tmp_path / "m.json", step="1/4")
    with pytest.raises(InvalidParameter, match=r"but t\.csv holds no music"):
        read(tmp_path / "t.csv", step="1/4")
    with pytest.raises(InvalidParameter, match="'1/4' is a quarter note"):
        read(tmp_path / "t.csv", step="often")
    with pytest.raises(InvalidParameter, match="are for picture files"):
        read(tmp_path / "m.json", size=(3, 4))


# writing


def test_sound_has_the_frequencies_of_its_notes(tmp_path):
    write_music(tmp_path / "a.wav", [[69], [69], [], [57]], tempo=60)
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 2**15
    assert len(samples) == pytest.approx(4 * RATE, abs=2)
    assert 0.79 < np.abs(samples).max() <= 0.8
    for part, hertz in ((slice(0, 2 * RATE), 440), (slice(3 * RATE, 4 * RATE), 220)):
        spectrum = np.abs(np.fft.rfft(samples[part]))
        found = spectrum.argmax() * RATE / len(samples[part])
        assert found == pytest.approx(hertz, abs=1)
    assert np.abs(samples[2 * RATE + 5 : 3 * RATE - 5]).max() == 0


def test_silence_is_silent_and_high_notes_have_no_mirror():
    assert not tones([[], []]).any()
    spectrum = np.abs(np.fft.rfft(tones([[108]], tempo=60)))
    assert spectrum.argmax() == pytest.approx(4186, abs=2)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InvalidParameter, match=r"a\.mp3: music is written to files called \.mid \(notes\) or \.wav"):
        write_music(tmp_path / "a.mp3", [[60]])
