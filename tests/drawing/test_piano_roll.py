"""Piano rolls: each note is one bar, and what was expected is told from what came."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ganglion.drawing.piano_roll import piano_roll_chart


def roll(*chords):
    made = np.zeros((len(chords), 88), dtype=np.uint8)
    for step, chord in enumerate(chords):
        made[step, list(chord)] = 1
    return made


def bars(chart):
    found = ElementTree.fromstring(chart.svg).iter("{http://www.w3.org/2000/svg}rect")
    return [(each.get("fill"), float(each.get("width")), each[0].text) for each in found if len(each)]


def test_a_note_that_goes_on_is_one_bar():
    chart = piano_roll_chart(roll({39}, {39}, {39, 43}, set()), "A piece", name=lambda pitch: f"p{pitch}")
    fills = bars(chart)
    assert [each[2] for each in fills] == ["p60, steps 1 to 3", "p64, steps 3 to 3"]
    assert fills[0][1] == pytest.approx(3 * fills[1][1] + 2)
    assert "p60" in chart.svg  # the line of a C has its name
    assert chart.title == "A piece"


def test_what_was_expected_is_told_from_what_came():
    chart = piano_roll_chart(roll({39}, {39}), "A piece", said=roll({39}, {43}), first=17)
    found = {(fill, tip) for fill, _, tip in bars(chart)}
    assert found == {
        ("var(--blue)", "60, steps 17 to 17: right"),
        ("var(--orange)", "60, steps 18 to 18: missed"),
        ("none", "64, steps 18 to 18: false"),
    }
    for words in ("expected and there", "not expected", "expected, not there"):
        assert words in chart.svg


@pytest.mark.parametrize("steps", [1, 16, 64, 700])
def test_pieces_of_any_length_can_be_drawn(steps):
    chart = piano_roll_chart(roll(*[{40 + i % 7} for i in range(steps)]), "<A & B>")
    assert 300 <= chart.width <= 60 + max(640, 5 * steps)
    ElementTree.fromstring(chart.svg)
    labels = re.findall(r'class="s">(\d+)</text>', chart.svg)
    assert 1 <= len(labels) <= 17


def test_silence_can_be_drawn():
    assert not bars(piano_roll_chart(roll(set(), set()), "Nothing"))


@pytest.mark.parametrize(("first", "written"), [(1, [1, 2, 3]), (129, [129, 131, 133])])
def test_numbers_of_steps_have_room(first, written):
    svg = piano_roll_chart(roll(*[{39}] * 16), "A piece", first=first).svg
    numbers = [int(each) for each in re.findall(r">(\d+)</text>", svg) if first <= int(each) < first + 16]
    assert numbers[:3] == written
