"""Dialogues in JSON lines become pairs."""

import json

import pytest

from ganglion.data.read import read
from ganglion.errors import InvalidFile


def written(tmp_path, *lines):
    path = tmp_path / "talk.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return read(path)


def test_each_turn_answers_the_one_before(tmp_path):
    data = written(
        tmp_path,
        {"category": "greetings", "turns": ["Hi there.", "Hello you!", "How are you?"]},
        {"category": "alone", "turns": ["Nobody answers me."]},
        {"category": "ai", "turns": ["What is AI?", "A field of science."]},
    )
    assert data.target == ("answer",)
    assert [field.name for field in data.features] == ["text"]
    X, y = data.X_y()
    assert X.values("text").tolist() == ["Hi there.", "Hello you!", "What is AI?"]
    assert y.tolist() == ["Hello you!", "How are you?", "A field of science."]
    assert data.values("dialogue").tolist() == [0, 0, 2]
    assert data.values("category").tolist() == ["greetings", "greetings", "ai"]


def test_what_says_nothing_makes_no_pair(tmp_path):
    data = written(tmp_path, {"turns": ["How do you do?", "  ", "Fine, thank you."]}, {"turns": ["One more.", "Two."]})
    assert data.values("text").tolist() == ["One more."]


def test_one_turn_each_is_no_dialogue(tmp_path):
    data = written(tmp_path, {"turns": ["Only one turn."]}, {"turns": ["Here as well."]})
    assert data.names == ("turns",)


def test_words_are_no_turns(tmp_path):
    data = written(tmp_path, {"words": ["It", "rains", "."]}, {"words": ["It", "snows", "in", "New York", "."]})
    assert data.names == ("words",)


def test_dialogues_without_an_answer_are_refused(tmp_path):
    with pytest.raises(InvalidFile, match=r"no line has two turns in turns"):
        written(tmp_path, {"turns": ["Anybody here?", " "]})


def test_two_columns_of_lists_are_no_dialogues(tmp_path):
    data = written(tmp_path, {"one": ["a b", "c d"], "two": ["e f", "g h", "i j"]})
    assert data.names == ("one", "two")
