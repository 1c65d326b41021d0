"""MIDI files: what is written is read again, on any grid, whatever ticks and tempo are."""

import contextlib
import io

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.chords import KEYS, chords_of, roll_of
from ganglion.data.midi_file import NoMidi, read_midi, write_midi
from ganglion.errors import InvalidParameter, MissingExtra, SaveFailed


def midi(*tracks, ticks=480, kind=1):
    """Return the bytes of a file of tracks of (what, time in quarters since the last, …)."""
    made = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for events in tracks:
        track = mido.MidiTrack()
        for what, quarters, *values in events:
            time = round(quarters * ticks)
            if what == "tempo":
                track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(values[0]), time=time))
            else:
                note, *more = values
                options = {"velocity": 64, **(more[0] if more else {})}
                track.append(mido.Message("note_" + what, note=note, time=time, **options))
        made.tracks.append(track)
    out = io.BytesIO()
    made.save(file=out)
    return out.getvalue()


def notes(*given, **options):
    """Return the bytes of a file of notes (begin, end, pitch), in quarters."""
    changes = sorted([(end, 0, pitch) for _, end, pitch in given] + [(begin, 1, pitch) for begin, _, pitch in given])
    events, now = [], 0
    for at, strikes, pitch in changes:
        events.append(("on" if strikes else "off", at - now, pitch))
        now = at
    return midi(events, **options)


def chords(raw, step="1/4"):
    return chords_of(read_midi(raw, step).roll)


ROLLS = st.lists(st.frozensets(st.integers(21, 108), max_size=4), min_size=1, max_size=10).filter(
    lambda piece: piece[0] and piece[-1]
)


@settings(max_examples=25)
@given(ROLLS, st.sampled_from(["1/1", "1/4", "1/16", "1/12", "1/7"]), st.sampled_from([4.0, 80.0, 333.3]))
def test_what_is_written_is_read_again(tmp_path_factory, piece, step, tempo):
    path = tmp_path_factory.mktemp("midi") / "piece.mid"
    write_midi(path, [sorted(chord) for chord in piece], step=step, tempo=tempo)
    np.testing.assert_array_equal(read_midi(path.read_bytes(), step).roll, roll_of([list(chord) for chord in piece]))
    written = mido.MidiFile(path)
    quarters = sum(message.time for message in written.tracks[0]) / written.ticks_per_beat
    one, parts = (int(each) for each in step.split("/"))
    assert quarters == pytest.approx(len(piece) * 4 * one / parts, abs=1 / 480)


def test_held_notes_are_struck_once(tmp_path):
    write_midi(tmp_path / "a.mid", [[60, 64], [60], [60, 64], [], [60]])
    struck = [m.note for m in mido.MidiFile(tmp_path / "a.mid").tracks[0] if m.type == "note_on"]
    assert struck == [60, 64, 64, 60]


@pytest.mark.parametrize("ticks", [1, 96, 100, 480, 960])
def test_ticks_and_tempo_change_nothing(ticks):
    given = [("on", 0, 60), ("off", 1, 60), ("on", 0, 62), ("off", 2, 62)]
    slower = [("tempo", 0, 90.0), ("tempo", 1, 30.0)]
    assert chords(midi(slower, given, ticks=ticks)) == [(60,), (62,), (62,)]
    assert chords(midi(given, ticks=ticks), "1/8") == [(60,)] * 2 + [(62,)] * 4


def test_a_note_without_velocity_ends_and_so_does_the_track():
    held = [("on", 0, 60), ("on", 1, 64, {"velocity": 0}), ("on", 0, 62), ("on", 1, 62, {"velocity": 0})]
    assert chords(midi(held)) == [(60,), (60, 62)]


def test_tracks_and_channels_sound_together():
    one, other = [("on", 0, 60), ("off", 2, 60)], [("on", 1, 64, {"channel": 3}), ("off", 1, 64, {"channel": 3})]
    assert chords(midi(one, other)) == [(60,), (60, 64)]
    assert chords(
        midi([("on", 0, 60), ("on", 0, 60, {"channel": 1}), ("off", 1, 60), ("off", 1, 60, {"channel": 1})])
    ) == [
        (60,),
        (60,),
    ]


def test_drums_are_left_out():
    drums = [("on", 0, 36, {"channel": 9}), ("off", 4, 36, {"channel": 9})]
    assert chords(midi(drums, [("on", 0, 60), ("off", 1, 60)])) == [(60,)]
    with pytest.raises(NoMidi, match="no note but drums"):
        read_midi(midi(drums))


def test_notes_played_by_hand_fall_on_their_steps():
    early, late, short = (-0.1 + 1, 2.05, 60), (2.1, 3.08, 62), (3.0, 3.05, 64)
    assert chords(notes((0, 1.05, 59), early, late, short)) == [(59,), (60,), (62,), (64,)]


def test_notes_between_steps_are_counted():
    fast = [(i / 4, (i + 1) / 4, 60 + i % 12) for i in range(16)]
    quarter, sixteenth = read_midi(notes(*fast), "1/4"), read_midi(notes(*fast), "1/16")
    assert (quarter.n_notes, quarter.n_between) == (16, 12)
    assert chords_of(quarter.roll) == [(60,), (64,), (68,), (60,)]
    assert sixteenth.n_between == 0
    assert len(sixteenth.roll) == 16


def test_a_piece_begins_with_its_first_note():
    assert chords(notes((5, 6, 60), (7, 8, 62))) == [(60,), (), (62,)]


def test_notes_outside_the_piano_are_counted():
    played = read_midi(notes((0, 1, 60), (0, 1, 12), (0, 1, 120)))
    assert (played.n_notes, played.n_outside, played.roll.sum()) == (3, 2, 1)
    with pytest.raises(NoMidi, match=r"no note of a piano, whose MIDI pitches are 21 \(A0\) to 108 \(C8\)"):
        read_midi(notes((0, 1, 12)))


@given(st.data())
def test_damage_is_always_told_as_such(data):
    raw = bytearray(notes((0, 1, 60), (1, 2, 64), (2, 3, 67)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for broken in (bytes(raw), bytes(raw[:cut])):
        with contextlib.suppress(NoMidi):
            assert read_midi(broken).roll.shape[1] == KEYS


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty"),
        (b"RIFF....", "is no MIDI file: it begins with b'RIFF', not with b'MThd'"),
        (notes((0, 1, 60), (1, 2, 64))[:40], "is cut off"),
        (notes((0, 1, 60))[:10], "is cut off|is damaged"),
        (midi([]), "holds no note"),
        (midi([("on", 0, 60), ("off", 1, 60)], kind=2), "of type 2"),
        (notes((0.5, 0.6, 60)), "no note that sounds at the beginning of a step of 1/4; give a shorter step"),
        (notes((0, 0.5, 60), (2e6, 2e6 + 1, 60), ticks=1), "steps long, more than any music"),
    ],
)
def test_what_is_no_music_says_why(raw, message):
    with pytest.raises(NoMidi, match=message):
        read_midi(raw)


def test_times_in_seconds_are_refused():
    raw = bytearray(notes((0, 1, 60)))
    raw[12:14] = (0xE7, 0x28)  # 25 frames a second, 40 ticks each
    with pytest.raises(NoMidi, match="SMPTE"):
        read_midi(bytes(raw))


def test_what_cannot_be_written_is_refused(tmp_path):
    for tempo in (0, -3, float("nan"), True, 1e6):
        with pytest.raises(InvalidParameter, match="quarter notes a minute, from 4 to 1000"):
            write_midi(tmp_path / "a.mid", [[60]], tempo=tempo)
    with pytest.raises(SaveFailed):
        write_midi(tmp_path / "no" / "a.mid", [[60]])
    assert not list(tmp_path.iterdir())


def test_the_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(
        MissingExtra, match=r'Reading MIDI files needs the package mido.*pip install "ganglion\[music\]"'
    ):
        read_midi(notes((0, 1, 60)))
