"""Sequences of numbers: how they are read, and what is refused."""

import numpy as np
import pytest
import torch

from ganglion.data.encoders import encoder_from_json, modality_of
from ganglion.data.ragged import Ragged
from ganglion.data.sequences import SequenceEncoder, holds_sequences, sequences_to_dataset
from ganglion.errors import InvalidInput, InvalidModel, UnsupportedType
from ganglion.networks.sequences import SequenceInput

STEPS = [np.arange(6.0).reshape(3, 2), np.ones((1, 2)), np.full((4, 2), -1.0)]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (np.zeros((4, 5, 2)), True),
        (torch.zeros(4, 5, 2), True),
        (STEPS, True),
        (np.array(STEPS, dtype=object), True),
        ([np.zeros(3), np.zeros(4)], True),
        ([[1.0, 2.0], [3.0]], True),
        ([[[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]], True),
        ([np.zeros(3), np.zeros(3)], False),  # a table as well
        ([[1.0, 2.0], [3.0, 4.0]], False),
        (np.zeros((4, 5)), False),
        (["a text"], False),
        ([], False),
        (None, False),
    ],
)
def test_what_counts_as_sequences(given, answer):
    assert holds_sequences(given) is answer


@pytest.mark.parametrize("given", [STEPS, [each.tolist() for each in STEPS], [torch.from_numpy(e) for e in STEPS]])
def test_sequences_keep_their_steps(given):
    data = sequences_to_dataset(given)
    assert modality_of(data) == "sequence"
    assert data.fields[0].shape == (2,)
    for found, expected in zip(data.values("sequence"), STEPS, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_steps_of_one_number_and_gaps():
    data = sequences_to_dataset([[1.0, None], np.array([2, 3, 4])])
    first, second = data.values("sequence")
    assert first.shape == (2, 1)
    assert np.isnan(first[1, 0])
    assert second[:, 0].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ([], InvalidInput, "no sequence was given"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], InvalidInput, "steps of 2, 3 numbers"),
        ([np.zeros((2, 2)), np.array([[0, np.inf]])], InvalidInput, "sequence 1 holds infinity"),
        ([np.zeros((2, 2)), np.zeros((0, 2))], InvalidInput, r"sequence 1 has shape \(0, 2\)"),
        ([np.zeros((2, 2)), [["a", "b"]]], UnsupportedType, "sequence 1 holds"),
        ([[[1.0], [2.0, 3.0]]], InvalidInput, "sequence 0 has steps of unequal width"),
        ([np.zeros((2, 2)) + 1j], InvalidInput, "sequence 0 holds complex numbers"),
    ],
)
def test_bad_sequences_are_refused(given, error, words):
    with pytest.raises(error, match=words):
        sequences_to_dataset(given)


def test_the_encoder_refuses_another_width_and_other_data():
    encoder = SequenceEncoder.fit(sequences_to_dataset(STEPS))
    assert (encoder.width, encoder.longest) == (2, 4)
    assert encoder.encode(sequences_to_dataset([np.zeros((9, 2))]))["sequence"].longest == 9
    with pytest.raises(InvalidInput, match=r"steps of 2 numbers, but was given steps of 3 numbers.*\(steps, 2\)"):
        encoder.encode(sequences_to_dataset([np.zeros((2, 3))]))


def test_the_encoder_survives_json_and_refuses_damage():
    encoder = SequenceEncoder.fit(sequences_to_dataset(STEPS))
    assert encoder_from_json(encoder.to_json()) == encoder
    for damage in ({"width": 0}, {"width": True}, {"longest": -1}, {"longest": 2**31}, {"width": "2"}):
        with pytest.raises(InvalidModel, match="damaged"):
            encoder_from_json(encoder.to_json() | damage)


def test_the_input_layer_scales_all_steps_and_fills_gaps_with_the_mean():
    values = torch.tensor([[1.0, 5.0], [3.0, 5.0], [torch.nan, 5.0], [5.0, 5.0]], dtype=torch.float64)
    column = Ragged(values, torch.tensor([0, 2, 4]))
    layer = SequenceInput(2)
    layer.adapt({"sequence": column})
    layer.dtype = torch.float64
    x, lengths = column.padded(torch.arange(2))
    scaled = layer.prepare({"sequence": x, "sequence_length": lengths})["sequence"]
    deviation = np.std([1.0, 3.0, 5.0])
    expected = [[[-2 / deviation, 0], [0, 0]], [[0, 0], [2 / deviation, 0]]]  # a constant number says nothing
    np.testing.assert_allclose(scaled, expected, atol=1e-12)
    layer.adapt({"sequence": column}, torch.tensor([0.0, 1.0]))
    np.testing.assert_allclose(layer.center, [5.0, 5.0])
