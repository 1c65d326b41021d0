"""Pieces of music in memory: chords and piano rolls become the same rolls."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.chords import (
    KEYS,
    LOWEST,
    chord_name,
    chords_of,
    is_music,
    music_in,
    note_name,
    pieces_to_dataset,
    roll_of,
)
from ganglion.data.convert import as_dataset
from ganglion.data.inspection import inspect
from ganglion.data.note_values import step_length
from ganglion.data.splits import duplicate_rows, split_pieces
from ganglion.errors import InvalidInput, InvalidParameter

PIECE = [(48, 60, 64), (), (60,), (108, 21)]
CHORDS = st.lists(st.frozensets(st.integers(21, 108), max_size=6), min_size=1, max_size=8)


@given(st.lists(CHORDS, min_size=1, max_size=4))
def test_chords_survive_the_roll(pieces):
    rolls = music_in(pieces_to_dataset(pieces))[1].split()
    assert [chords_of(roll.numpy()) for roll in rolls] == [
        [tuple(sorted(chord)) for chord in piece] for piece in pieces
    ]


def test_every_way_to_write_a_piece_is_the_same_roll():
    roll = roll_of(PIECE)
    assert roll.shape == (4, KEYS)
    assert roll.dtype == np.uint8
    assert roll.sum() == 6
    assert roll[0, 60 - LOWEST] == roll[3, 0] == roll[3, KEYS - 1] == 1
    wide = np.zeros((4, 128))
    wide[:, LOWEST : LOWEST + KEYS] = roll
    voices = np.array([[48, 60, 64], [-1, -1, -1], [60, -1, 60], [108, 21, -1]])
    for same in (
        roll,
        roll.astype(bool),
        roll.astype(float),
        wide,
        voices,
        voices.astype(float),
        torch.from_numpy(roll),
    ):
        np.testing.assert_array_equal(roll_of(same), roll)
    for same in ([list(c) for c in PIECE], [set(c) for c in PIECE], [np.array(c) for c in PIECE], voices.tolist()):
        np.testing.assert_array_equal(roll_of(same), roll)


def test_a_data_set_of_pieces():
    data = pieces_to_dataset([PIECE, PIECE[:1]], step="1/8", files=["a.mid", "b.mid"])
    assert is_music(data)
    assert data.index == ("file",)
    assert [each.shape for each in data.values("music")] == [(4, 88), (1, 88)]
    assert data.field("music").step == "1/8"
    assert not is_music(pieces_to_dataset([PIECE], files=["a"]).with_target("file"))
    assert len(pieces_to_dataset(np.zeros((3, 5, 88)))) == 3


def test_names_of_notes():
    assert [note_name(pitch) for pitch in (21, 60, 61, 69, 108)] == ["A0", "C4", "C♯4", "A4", "C8"]
    assert chord_name(roll_of([(64, 48)])[0]) == "C3 E4"
    assert chord_name(np.zeros(88)) == "silence"


def test_lengths_of_steps():
    assert [float(step_length(step)) for step in ("1/4", "1/16", "1/1", "1/12")] == [1, 0.25, 4, pytest.approx(1 / 3)]
    for bad in ("4", "1/0", "2/4", "1/128", "quarter", "1/4.", "", None):
        with pytest.raises(InvalidParameter, match="'1/4' is a quarter note"):
            step_length(bad)


def test_an_inspection_tells_what_music_there_is():
    seen = inspect(pieces_to_dataset([PIECE, PIECE[:2]], step="1/16"))
    assert seen.task.name == "music_modelling"
    assert seen.columns[0].summary == "2 … 4 steps of 1/16, mean 3; 1.5 notes a step, A0 to C8"
    assert "music modelling" in str(seen)


def test_copies_of_a_piece_are_found():
    data = pieces_to_dataset([PIECE, PIECE[:2], PIECE])
    assert duplicate_rows(data).tolist() == [False, False, True]


def test_pieces_are_held_out_whole():
    data = pieces_to_dataset([[[60 + i]] * 3 for i in range(10)])
    train, test, note = split_pieces(data, 0.2, 1)
    assert (len(train), len(test)) == (8, 2)
    assert note == "2 of 10 pieces were held out at random (seed 1)."
    assert not duplicate_rows(test, train).any()


def test_of_one_piece_the_end_is_held_out():
    data = pieces_to_dataset([[[60 + i] for i in range(10)]])
    train, test, note = split_pieces(data, 0.2)
    assert chords_of(music_in(test)[1].values.numpy()) == [(68,), (69,)]
    assert len(music_in(train)[1].values) == 8
    assert "last 2 of 10 steps" in note
    with pytest.raises(InvalidInput, match="one piece of one step"):
        split_pieces(pieces_to_dataset([[[60]]]), 0.2)


def test_a_table_is_no_music():
    table = as_dataset(pd.DataFrame({"a": [1.0]}))
    with pytest.raises(InvalidInput, match=r"no music in the columns a\. Give pieces"):
        music_in(table)
