"""Edit distances against their definition, and alignments against the distance."""

import functools

from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.data.edit_distance import aligned, n_edits

words = st.lists(st.sampled_from("abc"), max_size=7)


def by_definition(one, other):
    @functools.cache
    def distance(i, j):
        if not i or not j:
            return i + j
        changed = distance(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(changed, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(one), len(other))


@settings(deadline=None)
@given(words, words)
def test_distance_is_the_recursion(one, other):
    assert n_edits(one, other) == by_definition(one, other)


@settings(deadline=None)
@given(words, words)
def test_an_alignment_has_both_sequences_and_as_many_errors_as_the_distance(one, other):
    pairs = aligned(one, other)
    assert [a for a, _ in pairs if a is not None] == one
    assert [b for _, b in pairs if b is not None] == other
    assert sum(a != b for a, b in pairs) == n_edits(one, other)


def test_known_distances():
    assert n_edits("kitten", "sitting") == 3
    assert n_edits("", "abc") == 3
    assert aligned(["the", "cat", "sat"], ["the", "hat", "sat", "on"]) == [
        ("the", "the"),
        ("cat", "hat"),
        ("sat", "sat"),
        (None, "on"),
    ]
