"""The laws of a chord: exact likelihoods, and draws that follow them."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from ganglion.networks.chords import IndependentChord, NadeChord, NextChord, log_chance
from ganglion.networks.next_token import RecurrentReader

KEYS, WIDTH, HIDDEN = 6, 4, 5
EVERY = torch.tensor(list(itertools.product((0.0, 1.0), repeat=KEYS)), dtype=torch.float64)  # all 64 chords


def law(name):
    torch.manual_seed(3)
    made = IndependentChord(WIDTH, KEYS) if name == "independent" else NadeChord(WIDTH, KEYS, HIDDEN)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return made.double()


def network(name, cell="gru"):
    made = NextChord(KEYS, RecurrentReader(KEYS + 1, WIDTH, layers=2, cell=cell, dropout=0.0), law(name), nn.Identity())
    made.cast(torch.float64)
    return made.eval()


def pieces(*lengths, seed=0):
    """Return a batch of pieces of random chords, as a network takes them."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.zeros((len(lengths), 1 + max(lengths), KEYS + 1), dtype=torch.uint8)
    rows[:, 0, KEYS] = 1
    for row, length in zip(rows, lengths, strict=True):
        row[1 : 1 + length, :KEYS] = (torch.rand((length, KEYS), generator=generator) < 0.4).byte()
    return {"music": rows, "music_length": torch.tensor(lengths) + 1}


LAWS = pytest.mark.parametrize("name", ["independent", "nade"])


@LAWS
def test_chances_of_all_chords_sum_to_one(name):
    made, known = law(name), torch.randn((3, WIDTH), dtype=torch.float64)
    for each in known:
        log_p = made(each.expand(len(EVERY), -1), EVERY)
        assert log_p.shape == (len(EVERY),)
        assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_nade_equals_the_equations_of_the_paper():
    made = law("nade")
    known = torch.randn((len(EVERY), WIDTH), dtype=torch.float64)
    found = made(known, EVERY).tolist()
    below, score = made.below.detach().numpy(), made.score.weight.detach().numpy()
    for h, v, log_p in zip(known, EVERY.numpy(), found, strict=True):
        b, c = (layer(h).detach().numpy() for layer in (made.bias, made.offset))
        expected = 0.0
        for i in range(KEYS):
            units = 1 / (1 + np.exp(-(c + sum(v[j] * below[j] for j in range(i)))))
            chance = 1 / (1 + math.exp(-(b[i] + score[i] @ units)))
            expected += math.log(chance if v[i] else 1 - chance)
        assert log_p == pytest.approx(expected, rel=1e-10)


def test_nade_without_weights_is_independent():
    made = law("nade")
    with torch.no_grad():
        made.score.weight.zero_()
    known = torch.randn((len(EVERY), WIDTH), dtype=torch.float64)
    torch.testing.assert_close(made(known, EVERY), log_chance(made.bias(known), EVERY))


@LAWS
def test_gradients(name):
    made = law(name)
    known = torch.randn((4, WIDTH), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda each: made(each, EVERY[[0, 7, 21, 63]]), known)
    made(known, EVERY[:4]).sum().backward()
    assert all(parameter.grad is not None for parameter in made.parameters())


@LAWS
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_draws_follow_the_chances(name, temperature):
    made, n = law(name), 40_000
    known = torch.randn((1, WIDTH), dtype=torch.float64)
    drawn = made.draw(known.expand(n, -1), torch.Generator().manual_seed(0), temperature)
    found = torch.bincount((drawn.long() * 2 ** torch.arange(KEYS)).sum(1), minlength=2**KEYS)
    codes = (EVERY.long() * 2 ** torch.arange(KEYS)).sum(1)
    if temperature == 1:
        chances = made(known.expand(len(EVERY), -1), EVERY).exp()
    else:
        chances = heated(made, name, known, temperature)
    expected = n * chances
    often = expected > 5
    chi = ((found[codes] - expected).square() / expected)[often].sum().item()
    assert chi < 2 * often.sum().item() + 30  # the mean of chi square is its degrees of freedom


def heated(made, name, known, temperature):
    """Return the chance of each chord when every score is divided by the temperature, key by key."""
    chances = []
    for chord in EVERY:
        p = 1.0
        for i in range(KEYS):
            if name == "independent":
                score = made.layer(known)[0, i]
            else:
                units = torch.sigmoid(made.offset(known)[0] + chord[:i] @ made.below[:i])
                score = made.bias(known)[0, i] + units @ made.score.weight[i]
            chance = torch.sigmoid(score / temperature).item()
            p *= chance if chord[i] else 1 - chance
        chances.append(p)
    return torch.tensor(chances, dtype=torch.float64)


@LAWS
def test_at_temperature_zero_each_key_sounds_if_that_is_likelier(name):
    made, known = law(name), torch.randn((20, WIDTH), dtype=torch.float64)
    for h, chord in zip(known, made.draw(known, None, 0.0), strict=True):
        if name == "independent":
            log_p = made(h.expand(len(EVERY), -1), EVERY)
            assert chord.tolist() == EVERY[log_p.argmax()].tolist()  # then it is the likeliest chord
        for i in range(KEYS):
            other = chord.clone()
            other[i] = 1 - other[i]
            begun = [
                made(h.expand(2**KEYS, -1), EVERY)[(EVERY[:, : i + 1] == each[: i + 1]).all(1)].exp().sum()
                for each in (chord, other)
            ]
            assert begun[0] >= begun[1]


@LAWS
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_all_at_once_equals_step_by_step(name, cell):
    made, batch = network(name, cell), pieces(5, 3)
    log_p = made.raw_scores(batch)
    assert log_p.shape == (2, 5)
    assert log_p[1, 3:].tolist() == [0, 0]  # what fills up says nothing
    for i, length in enumerate((5, 3)):
        rows, known = made.prepare(batch)["music"][i : i + 1], made.reader.begin()
        for t in range(length):
            h = made.reader.go_on(rows[:, t : t + 1], known)[:, -1]
            torch.testing.assert_close(made.law(h, rows[:, t + 1, :KEYS])[0], log_p[i, t])


@LAWS
def test_no_chord_is_told_by_what_comes_after_it(name):
    made, batch = network(name), pieces(6, 6)
    before = made.raw_scores(batch)
    batch["music"][:, 4:, :KEYS] = 1 - batch["music"][:, 4:, :KEYS]
    after = made.raw_scores(batch)
    torch.testing.assert_close(before[:, :3], after[:, :3], rtol=0, atol=0)
    assert (before[:, 3:] != after[:, 3:]).all()


@LAWS
def test_what_is_expected_is_what_would_be_drawn(name):
    made, batch = network(name), pieces(5, 5)
    expected, prepared = made.expected(made.prepare(batch)), made.prepare(batch)
    known = made.reader.begin()
    for t in range(5):
        drawn = made.go_on(prepared["music"][:, t : t + 1], known, torch.Generator(), 0.0)
        torch.testing.assert_close(expected[:, t], drawn)


def test_chords_of_any_size_are_read_together():
    made = law("nade").float()
    known = torch.randn((3, WIDTH))
    chords = torch.tensor([[0.0] * KEYS, [1.0] * KEYS, [1, 0, 0, 0, 0, 1]])
    together = made(known, chords)
    for i in range(3):
        torch.testing.assert_close(made(known[i : i + 1], chords[i : i + 1])[0], together[i])
    assert made(known[:0], chords[:0]).shape == (0,)
