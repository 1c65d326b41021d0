"""What comes before each chord, parts of long pieces, and pieces moved to other keys."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.chords import KEYS, music_in, pieces_to_dataset
from ganglion.data.music_encoding import BEGINNING, MusicEncoder, framed
from ganglion.data.transposition import transposed
from ganglion.errors import InvalidInput, InvalidParameter

PIECES = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@given(PIECES, st.integers(1, 10))
def test_parts_together_are_the_pieces(lengths, most):
    rng = np.random.default_rng(0)
    rolls = [rng.integers(0, 2, (length, KEYS)) for length in lengths]
    music = music_in(pieces_to_dataset(rolls))[1]
    parts, piece = framed(music, most)
    split = [each.numpy() for each in parts.split()]
    assert max(map(len, split)) <= most + 1
    for i, roll in enumerate(rolls):
        mine = [part for part, of in zip(split, piece.tolist(), strict=True) if of == i]
        np.testing.assert_array_equal(np.concatenate([part[1:, :KEYS] for part in mine]), roll)
        assert mine[0][0].nonzero()[0].tolist() == [BEGINNING]
        for before, after in itertools.pairwise(mine):
            np.testing.assert_array_equal(after[0], before[-1])  # what a part begins behind
        assert not any(part[1:, BEGINNING].any() for part in mine)


def test_whole_pieces_have_one_row_more():
    music = music_in(pieces_to_dataset([[[60]] * 3, [[61]]]))[1]
    parts, piece = framed(music)
    assert parts.lengths.tolist() == [4, 2]
    assert piece.tolist() == [0, 1]


@given(st.integers(0, 24), st.integers(0, 10**6))
def test_moving_keeps_every_interval_and_every_note(most, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy((rng.random((6, 5, KEYS + 1)) < 0.05).astype(np.uint8))
    rows[0, :, :KEYS] = 0  # a silent piece
    moved = transposed(rows, most)
    assert moved.dtype == torch.uint8
    np.testing.assert_array_equal(moved[:, :, KEYS], rows[:, :, KEYS])
    for before, after in zip(rows[:, :, :KEYS], moved[:, :, :KEYS], strict=True):
        (steps, keys), (other_steps, other_keys) = before.nonzero().T, after.nonzero().T
        assert steps.tolist() == other_steps.tolist()
        shifts = set((other_keys - keys).tolist()) or {0}
        assert len(shifts) == 1
        assert abs(shifts.pop()) <= most


def test_every_key_is_as_likely():
    torch.manual_seed(0)
    rows = torch.zeros((4000, 1, KEYS + 1), dtype=torch.uint8)
    rows[:, 0, 40] = 1
    counts = torch.bincount(transposed(rows, 2)[:, 0].nonzero()[:, 1], minlength=KEYS)[38:43]
    assert counts.sum() == 4000
    assert counts.min() > 700
    rows = rows.roll(-40, 2)  # on the lowest key, from which there is one way
    assert transposed(rows, 2)[:, 0].nonzero()[:, 1].unique().tolist() == [0, 1, 2]


def test_the_encoder_knows_its_steps():
    encoder = MusicEncoder.fit(pieces_to_dataset([[[60], [62]]], step="1/4"))
    assert encoder.longest == 2
    assert MusicEncoder.from_json(encoder.to_json()) == encoder
    assert len(encoder.encode(pieces_to_dataset([[[60]]]))["music"]) == 1  # a length that is not known may be the same
    with pytest.raises(
        InvalidInput, match=r"trained on steps of a 1/4 note, but these pieces have steps of 1/16. Read"
    ):
        encoder.encode(pieces_to_dataset([[[60]]], step="1/16"))
    with pytest.raises(InvalidInput, match="all pieces are silent"):
        MusicEncoder.fit(pieces_to_dataset([[[], []]]))


@pytest.mark.parametrize("change", [{"step": 4}, {"step": "1/0"}, {"longest": 0}, {"longest": True}, {"longest": "9"}])
def test_a_damaged_description_is_refused(change):
    stored = MusicEncoder("1/4", 9).to_json() | change
    with pytest.raises((ValueError, TypeError, KeyError, InvalidParameter)):
        MusicEncoder.from_json(stored)
