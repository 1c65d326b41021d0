"""Recurrent layers: equal to torch's own, whatever stands behind a sequence and beside it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ganglion.data.ragged import joined
from ganglion.networks.recurrent import CELLS, Recurrent, cell, last_states, mirrored
from ganglion.networks.sequences import Steps, last_of, mean_of, most_of

WIDTH, N_IN = 5, 3


def layers(name: str, *, packing: bool, bidirectional: bool, n: int = 2) -> Recurrent:
    torch.manual_seed(0)
    made = Recurrent(
        N_IN, WIDTH, layers=n, cell=name, bidirectional=bidirectional, dropout=0.5, packing=packing
    ).double()
    with torch.no_grad():
        for parameter in made.parameters():  # biases too
            parameter.normal_(0, 0.5)
    return made.eval()


def sequences(lengths: list[int], seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(length, N_IN, generator=generator, dtype=torch.float64) for length in lengths]


def steps_of(samples: list[torch.Tensor], order: list[int], more: int, fill: float) -> Steps:
    """The samples side by side in an order, with `more` steps of filling behind the longest."""
    x, lengths = joined([samples[i] for i in order], fill=fill).padded(torch.arange(len(order)))
    x = torch.cat([x, x.new_full((len(x), more, N_IN), fill)], 1)
    return Steps(x, lengths)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", CELLS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_batch_order_padding_and_packing_change_nothing(name, bidirectional, data):
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))
    order = data.draw(st.permutations(range(len(lengths))))
    more, fill = data.draw(st.integers(0, 4)), data.draw(st.sampled_from([0.0, -3.0, 1e6]))
    samples = sequences(lengths)
    for packing in (False, True):
        network = layers(name, packing=packing, bidirectional=bidirectional)
        together = network(steps_of(samples, order, more, fill))
        states = last_states(together, bidirectional=bidirectional)
        for place, i in enumerate(order):
            alone = layers(name, packing=False, bidirectional=bidirectional)(steps_of(samples, [i], 0, 0.0))
            torch.testing.assert_close(together.x[place, : lengths[i]], alone.x[0], rtol=0, atol=1e-6)
            own = last_states(alone, bidirectional=bidirectional)
            torch.testing.assert_close(states[place : place + 1], own, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", CELLS)
def test_two_layers_both_ways_equal_torch_own(name):
    ours = layers(name, packing=True, bidirectional=True)
    theirs = CELLS[name](N_IN, WIDTH, num_layers=2, bidirectional=True, batch_first=True).double()
    with torch.no_grad():
        for k, layer in enumerate(ours.layers):
            for own, suffix in ((layer.ahead, ""), (layer.back, "_reverse")):
                for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(theirs, f"{part}_l{k}{suffix}").copy_(getattr(own, f"{part}_l0"))
    samples = sequences([4, 7, 1, 7])
    given = steps_of(samples, [0, 1, 2, 3], 0, 0.0)
    packed = nn.utils.rnn.pack_padded_sequence(given.x, given.lengths, batch_first=True, enforce_sorted=False)
    expected, last = theirs(packed)
    expected, _ = nn.utils.rnn.pad_packed_sequence(expected, batch_first=True)
    found = ours(given)
    for row, length in enumerate(given.lengths.tolist()):
        torch.testing.assert_close(found.x[row, :length], expected[row, :length], rtol=0, atol=1e-12)
    hidden = last[0] if isinstance(last, tuple) else last  # of an LSTM, the state of the cells stands beside
    states = last_states(found, bidirectional=True)
    torch.testing.assert_close(states, torch.cat([hidden[-2], hidden[-1]], 1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("packing", [False, True])
def test_gradients_are_those_of_finite_differences(name, packing):
    network = layers(name, packing=packing, bidirectional=True, n=1)
    x = torch.randn(2, 3, N_IN, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([3, 2])

    def known(x):
        return last_states(network(Steps(x, lengths)), bidirectional=True)

    assert torch.autograd.gradcheck(known, (x,))
    (slope,) = torch.autograd.grad(known(x).sum(), x)
    assert (slope[1, 2] == 0).all()  # nothing depends on filling
    assert (slope[1, :2] != 0).all()


def test_elman_by_hand():
    network = layers("elman", packing=False, bidirectional=False, n=1)
    cells = network.layers[0].ahead
    x = sequences([6])[0]
    h = torch.zeros(WIDTH, dtype=torch.float64)
    for t in range(6):
        h = torch.tanh(cells.weight_ih_l0 @ x[t] + cells.bias_ih_l0 + cells.weight_hh_l0 @ h + cells.bias_hh_l0)
        torch.testing.assert_close(network(Steps(x[None], torch.tensor([6]))).x[0, t], h, rtol=0, atol=1e-12)


def test_lstm_by_hand():
    network = layers("lstm", packing=False, bidirectional=False, n=1)
    cells = network.layers[0].ahead
    x = sequences([4])[0]
    h = c = torch.zeros(WIDTH, dtype=torch.float64)
    for t in range(4):
        gates = cells.weight_ih_l0 @ x[t] + cells.bias_ih_l0 + cells.weight_hh_l0 @ h + cells.bias_hh_l0
        i, f, g, o = gates.split(WIDTH)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    torch.testing.assert_close(network(Steps(x[None], torch.tensor([4]))).x[0, -1], h, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_recurrent_weights_begin_orthogonal_and_forget_gates_open(name):
    torch.manual_seed(0)
    made = cell(name, N_IN, 8)
    _, of_state, bias, other_bias = made.parameters()
    for gate in of_state.split(8):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), rtol=0, atol=1e-5)
    expected = torch.zeros(len(bias))
    if name == "lstm":
        expected[8:16] = 1
    assert torch.equal(bias + other_bias, expected)
    assert not any(parameter.any() for parameter in list(cell(name, N_IN, 8, forget_bias=0.0).parameters())[2:])


def test_dropout_is_between_layers_alone():
    network = Recurrent(N_IN, WIDTH, layers=1, dropout=0.9).train()
    given = Steps(torch.randn(2, 4, N_IN), torch.tensor([4, 4]))
    assert torch.equal(network(given).x, network(given).x)
    deeper = Recurrent(N_IN, WIDTH, layers=2, dropout=0.9).train()
    assert not torch.equal(deeper(given).x, deeper(given).x)
    assert torch.equal(deeper.eval()(given).x, deeper(given).x)


@settings(deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_mirrored_twice_is_as_it_was(lengths):
    given = steps_of(sequences(lengths), list(range(len(lengths))), 1, 7.0)
    back = mirrored(given)
    assert torch.equal(mirrored(back).x, given.x)
    for row, length in enumerate(lengths):
        assert torch.equal(back.x[row, :length], given.x[row, :length].flip(0))
        assert (back.x[row, length:] == 7).all()


def test_pooling_sees_what_counts_alone():
    samples = sequences([3, 5, 1])
    given = steps_of(samples, [0, 1, 2], 2, 1e9)
    for pooled, by_hand in (
        (mean_of, lambda x: x.mean(0)),
        (most_of, lambda x: x.amax(0)),
        (last_of, lambda x: x[-1]),
    ):
        expected = torch.stack([by_hand(each) for each in samples])
        np.testing.assert_allclose(pooled(given), expected, rtol=0, atol=1e-12)
