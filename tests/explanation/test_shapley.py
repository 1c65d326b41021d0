"""Shapley values against the definition written out, and against games whose values are known."""

from itertools import permutations as orders

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganglion.errors import InvalidParameter
from ganglion.explanation.shapley import MOST_EXACT, Games, averaged, exact, kernel, permutations


def games_of(tables, active=None):
    """Return games given by the value of every coalition, (games, 2^d, outputs): bit i of the place is player i."""
    tables = np.asarray(tables, dtype=float)
    d = tables.shape[1].bit_length() - 1
    active = np.ones((len(tables), d), dtype=bool) if active is None else active

    def value(which, coalitions):
        return tables[which, (coalitions * 2 ** np.arange(d)).sum(axis=1)]

    return Games(value, active, tables[:, 0], tables[:, -1])


def by_hand(table):
    """Return the mean over all orders of what each player adds, as Shapley wrote it."""
    d = len(table).bit_length() - 1
    values = np.zeros((d, table.shape[1]))
    every = list(orders(range(d)))
    for order in every:
        joined = 0
        for player in order:
            values[player] += table[joined | 1 << player] - table[joined]
            joined |= 1 << player
    return values / len(every)


TABLES = np.random.default_rng(0).normal(size=(3, 2**5, 2))


def test_exact_is_the_mean_over_all_orders():
    found = exact(games_of(TABLES))
    np.testing.assert_allclose(found, [by_hand(table) for table in TABLES], atol=1e-12)


def test_the_glove_game():
    """Two have a left glove, one a right one: a pair is worth 1. The known values are 1/6, 1/6, 4/6."""
    table = np.array([bool(s & 4) and bool(s & 3) for s in range(8)], dtype=float)[:, None]
    np.testing.assert_allclose(exact(games_of(table[None]))[0, :, 0], [1 / 6, 1 / 6, 4 / 6])


def test_players_that_cannot_change_anything_cost_nothing():
    table = np.array([(s & 1) * 2.0 + (s & 4) for s in range(8)])[:, None]  # player 1 does nothing
    asked = []
    games = games_of(table[None], np.array([[True, False, True]]))

    def counted(which, coalitions):
        asked.append(len(which))
        return games.value(which, coalitions)

    counting = Games(counted, games.active, games.empty, games.whole)
    np.testing.assert_allclose(exact(counting)[0, :, 0], [2, 0, 4])
    assert sum(asked) == 2  # of 2 players, beside nobody and everybody
    np.testing.assert_allclose(permutations(counting, 3, np.random.default_rng(0))[2, 0, :, 0], [2, 0, 4])
    assert sum(asked[1:]) == 3 * 2


@given(st.integers(0, 10**6), st.integers(1, 5))
def test_walks_always_add_up_and_are_exact_for_sums(seed, d):
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(2, 2**d, 1))
    found = permutations(games_of(table), 2, rng)
    np.testing.assert_allclose(found[1].sum(axis=1), table[:, -1] - table[:, 0], atol=1e-12)
    weights = rng.normal(size=d)
    sums = np.array([[weights[[bool(s >> i & 1) for i in range(d)]].sum()] for s in range(2**d)])
    np.testing.assert_allclose(permutations(games_of(sums[None]), 1, rng)[0, 0, :, 0], weights, atol=1e-12)


def test_a_walk_and_its_way_back_are_exact_for_pairs():
    """Antithetic orders have no error where players interact in pairs only."""
    rng = np.random.default_rng(1)
    W = rng.normal(size=(4, 4))
    bits = (np.arange(16)[:, None] >> np.arange(4)) & 1
    table = np.einsum("si,ij,sj->s", bits, W, bits)[:, None]
    found = permutations(games_of(table[None]), 1, rng)
    np.testing.assert_allclose(found[0, 0], by_hand(table), atol=1e-12)


def test_intervals_of_walks_cover_the_exact_values():
    truth = exact(games_of(TABLES))
    inside = []
    for seed in range(40):
        found = permutations(games_of(TABLES), 40, np.random.default_rng(seed))
        inside.append(np.abs(found.mean(axis=0) - truth) <= 1.96 * found.std(axis=0, ddof=1) / 40**0.5)
    assert 0.92 < np.mean(inside) < 0.98


def test_games_that_are_known_from_their_ends():
    nothing = games_of(np.full((2, 1, 1), 3.0).repeat(4, axis=1), np.zeros((2, 2), dtype=bool))
    assert not permutations(nothing, 2, np.random.default_rng(0)).any()
    assert not exact(nothing).any()
    alone = games_of(np.array([[[1.0], [4.0]]]))
    for found in (exact(alone), permutations(alone, 1, np.random.default_rng(0))[0]):
        np.testing.assert_array_equal(found, [[[3.0]]])
    assert kernel(alone, 4, np.random.default_rng(0)).values == [[[3.0]]]


def test_kernel_over_all_coalitions_is_exact():
    found = kernel(games_of(TABLES), 2**5 - 2, np.random.default_rng(0))
    np.testing.assert_allclose(found.values, exact(games_of(TABLES)), atol=1e-10)
    assert not found.variance.any()


def test_kernel_on_some_coalitions_adds_up_and_is_covered_by_its_interval():
    tables = np.random.default_rng(2).normal(size=(2, 2**8, 1))
    truth = exact(games_of(tables))
    inside = []
    for seed in range(40):
        found = kernel(games_of(tables), 160, np.random.default_rng(seed))
        np.testing.assert_allclose(found.values.sum(axis=1), tables[:, -1] - tables[:, 0], atol=1e-10)
        inside.append(np.abs(found.values - truth) <= 1.96 * np.sqrt(found.variance))
    assert 0.9 < np.mean(inside) < 0.99
    one, other = found.halves
    np.testing.assert_allclose(one.sum(axis=1), other.sum(axis=1), atol=1e-10)


def test_averaged_games_have_the_mean_values():
    whole = averaged(games_of(TABLES[:, :, :1]), 3)
    np.testing.assert_allclose(exact(whole)[0], exact(games_of(TABLES[:, :, :1])).mean(axis=0), atol=1e-12)


def test_refusals():
    wide = Games(lambda which, coalitions: None, np.ones((1, MOST_EXACT + 1), dtype=bool), *np.zeros((2, 1, 1)))
    with pytest.raises(InvalidParameter, match="here n is 16; at most 15"):
        exact(wide)
    with pytest.raises(InvalidParameter, match="10 coalitions of 16 features are too few"):
        kernel(wide, 10, np.random.default_rng(0))


def test_a_game_that_nobody_can_change_asks_nothing():
    def value(games, coalitions):
        raise AssertionError("nothing is to be asked")

    same = np.ones((2, 1))
    games = Games(value, np.zeros((2, 3), dtype=bool), same, same)
    assert not permutations(games, 4, np.random.default_rng(0)).any()
