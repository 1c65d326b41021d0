"""From files of music to a model that writes it, on the command line."""

import json
import wave

import pytest

from ganglion.algorithms.language_model import LanguageModel
from ganglion.algorithms.music_model import MusicModel
from ganglion.data.midi_file import read_midi, write_midi
from ganglion.data.read import read

SCALE = [[60, 64], [62, 65], [64, 67], [65, 69]]
SMALL = ("--set", "epochs=2", "--set", "width=8", "--set", "chord_units=4")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "songs").mkdir()
    for i in range(10):
        piece = [[pitch + i for pitch in chord] for chord in SCALE * 3]
        write_midi(tmp_path / "songs" / f"{i}.mid", piece, step="1/8")
    return tmp_path / "songs"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    write_midi(folder / "a.mid", SCALE * 3, step="1/8")
    MusicModel(width=8, chord_units=4, epochs=2, random_state=0).fit(read(folder, step="1/8")).save(
        folder / "m.ganglion"
    )
    return folder / "m.ganglion"


def test_a_folder_of_midi_is_taken_for_music(ganglion, folder, tmp_path):
    ran = ganglion("train", folder, "--step", "1/8", *SMALL, "--report", "report.html")
    assert ran.code == 0, ran.err
    said = " ".join(ran.err.split())
    assert (
        "MusicModel: music modelling from pieces of music; the data are pieces of music, and there is no target" in said
    )
    assert "8 pieces to train on, 2 to test on" in said
    assert "Loss, nats per step" in ran.out
    assert "2 of 10 pieces were held out at random (seed 0)." in " ".join(ran.out.split())
    page = (tmp_path / "report.html").read_text()
    assert "Written by the model" in page
    assert "Least expected passages" in page


def test_json_is_tested_on_its_test_part(ganglion, tmp_path):
    (tmp_path / "c.json").write_text(
        json.dumps({"train": [SCALE] * 6, "valid": [SCALE[:2]] * 2, "test": [SCALE[:3]] * 3})
    )
    ran = ganglion("train", "c.json", *SMALL, "--json")
    assert ran.code == 0, ran.err
    judged = json.loads(ran.out)
    assert (judged["task"], judged["n_rows"]) == ("music_modelling", 3)
    assert [each["name"] for each in judged["baselines"]] == ["note frequencies", "each key by itself"]


def test_a_model_writes_notes_and_sound(ganglion, trained, tmp_path):
    ran = ganglion("sample", trained, "--length", 12, "--seed", 1, "--out", "piece.mid", "--tempo", 120)
    assert ran.code == 0
    assert "saved piece.mid" in ran.err
    assert len(read_midi((tmp_path / "piece.mid").read_bytes(), "1/8").roll) <= 12
    assert ganglion("sample", trained, "--length", 12, "--seed", 1, "--out", "piece.wav", "--tempo", 120).code == 0
    with wave.open(str(tmp_path / "piece.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(12 / 4, abs=0.01)  # eighths at 120


def test_a_model_writes_names_of_notes_and_goes_on_from_a_file(ganglion, trained, tmp_path):
    write_midi(tmp_path / "start.mid", SCALE, step="1/8")
    lines = [
        ganglion("sample", trained, "-p", "start.mid", "--length", 3, "--seed", 2).out.split("\n") for _ in range(2)
    ]
    assert lines[0] == lines[1]
    assert lines[0][:4] == ["C4 E4", "D4 F4", "E4 G4", "F4 A4"]
    assert len(lines[0]) == 4 + 3 + 1


def test_pieces_are_judged(ganglion, trained, folder):
    answers = json.loads(ganglion("predict", trained, folder, "--json").out)
    assert answers[0]["file"] == "0.mid"
    assert answers[0]["steps"] == 12  # read in the steps of training
    assert answers[0]["log_likelihood"] < 0
    judged = json.loads(ganglion("evaluate", trained, folder, "--train", folder, "--json").out)
    assert judged["n_rows"] == 10
    assert judged["model"]["metrics"]["loss"]["value"] == pytest.approx(
        -sum(each["log_likelihood"] for each in answers) / sum(each["steps"] for each in answers), rel=1e-5
    )


def test_inspect_says_what_can_be_learned(ganglion, folder):
    out = ganglion("inspect", folder).out
    assert "music modelling; the data are pieces of music" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--out", "a.mp3"), 2, "a.mp3: music is written to files called .mid"),
        (("--tempo", "0", "--out", "a.mid"), 2, "tempo=0.0: give quarter notes a minute"),
        (("--top-k", "3"), 2, "--top-k: for texts alone; this model writes music"),
        (("--temperature", "-1"), 2, "temperature=-1.0: give a number of 0 or more"),
        (("-p", "nothing.mid"), 1, "nothing.mid does not exist"),
    ],
)
def test_what_makes_no_sense_is_refused(ganglion, trained, words, code, message):
    ran = ganglion("sample", trained, *words)
    assert ran.code == code
    assert message in " ".join(ran.err.split())


def test_texts_are_written_to_no_file(ganglion, tmp_path):
    LanguageModel(steps=1, width=4, heads=1, layers=1, context=4, random_state=0).fit(["abcd" * 9]).save(
        tmp_path / "t.ganglion"
    )
    ran = ganglion("sample", "t.ganglion", "--out", "a.mid")
    assert ran.code == 2
    assert "--out: for music alone; this model writes texts" in " ".join(ran.err.split())


def test_a_step_that_is_none_is_refused(ganglion, folder):
    ran = ganglion("train", folder, "--step", "quick")
    assert ran.code == 2
    assert "'1/16' a sixteenth" in " ".join(ran.err.split())
