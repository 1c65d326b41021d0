"""Options as data: signature, checks, texts, the command line and the file, all from one declaration."""

import inspect
import json
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from ganglion.algorithms.mlp import MLPClassifier
from ganglion.errors import InvalidParameter, UnknownParameter
from ganglion.options import (
    call_by_name,
    call_text,
    check_options,
    describe,
    from_json,
    hyperparameters,
    in_range,
    option,
    options_of,
    parse_option,
    to_json,
)
from ganglion.registry import all_algorithms
from ganglion.training.optimizers import OPTIMIZERS
from ganglion.training.schedules import SCHEDULES


def refuse_odd(value):
    if value % 2:
        raise InvalidParameter(f"{value} is odd. Give an even number.")


@hyperparameters
class Base(BaseEstimator):
    """What all share."""

    seed: int | None = option(None, "Seed.")


@hyperparameters
class Everything(Base):
    """One option of every kind."""

    count: int = option(3, "How many.", at_least=1, at_most=10)
    share: float = option(0.5, "Which part.", above=0, below=1)
    flag: bool = option(False, "Whether.")
    name: str = option("x", "Its name.")
    choice: Literal["red", "green", 7] | None = option("red", "Which one.")
    widths: tuple[int, ...] = option((4, 2), "Widths.", at_least=1)
    shares: tuple[float, ...] = option((), "Shares.", at_most=1)
    auto: float | Literal["auto"] = option("auto", "Number, or auto.", at_least=0)
    weights: dict | Literal["balanced"] | None = option(None, "Weights.")
    call: Callable | None = option(None, "A function.")
    anything: Any = option(None, "Anything.")
    even: int = option(2, "An even number.", check=refuse_odd)


VALUES = {  # allowed, refused
    "count": ([1, 10, np.int64(4)], [0, 11, 1.0, "3", None, True, np.nan]),
    "share": ([0.1, 0.999, np.float32(0.5)], [0, 1, -0.0, 0.0, np.nan, np.inf, "0.5", True, None, 1j]),
    "flag": ([True, False, np.True_], [1, "yes", None]),
    "name": (["", "any"], [1, None, b"x"]),
    "choice": (["red", "green", 7, None], ["blue", "Red", 7.0, True]),
    "widths": ([(), (1,), [3, 4], (np.int32(2),)], [4, (0,), (1.0,), "4", None, ((1,),), (True,)]),
    "shares": ([(0.5, 1), ()], [(1.5,), 0.5, (np.nan,)]),
    "auto": (["auto", 0, 2.5], ["Auto", -1, None, np.nan]),
    "weights": ([None, "balanced", {"a": 1.0}, {}], ["b", [1.0], 3]),
    "call": ([None, len, lambda: 1], ["len", 3, int]),
    "anything": ([object(), 3, "x"], []),
    "even": ([0, 4], [3, "2", 2.0]),
}


def test_every_option_is_tried():
    assert VALUES.keys() | {"seed"} == options_of(Everything).keys()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (good, _) in VALUES.items() for value in good])
def test_allowed(name, value):
    given = Everything(**{name: value})
    check_options(given)
    assert getattr(given, name) is value


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (_, bad) in VALUES.items() for value in bad])
def test_refused_when_checked_and_not_before(name, value):
    given = Everything(**{name: value})
    with pytest.raises(InvalidParameter) as caught:
        check_options(given)
    message = str(caught.value)
    assert name in message or "odd" in message
    assert repr(value) in message or "odd" in message  # what was given
    assert len(message.split()) > 4  # what is allowed, what to do


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "Everything(count=0): count is an integer at least 1 and at most 10. How many."),
        ({"share": 1}, "Everything(share=1): share is a number above 0 and below 1. Which part."),
        ({"widths": (0,)}, "Everything(widths=(0,)): widths is a tuple of integers at least 1. Widths."),
        ({"widths": 3}, "Everything(widths=3): widths is a tuple of integers at least 1. Did you mean (3,)? Widths."),
        ({"auto": -1}, "Everything(auto=-1): auto is a number at least 0 or 'auto'. Number, or auto."),
        (
            {"choice": "gren"},
            "Everything(choice='gren'): choice is 'red', 'green', 7 or None. Did you mean 'green'? Which one.",
        ),
        ({"flag": 1}, "Everything(flag=1): flag is True or False. Whether."),
        ({"weights": 3}, "Everything(weights=3): weights is a dict, 'balanced' or None. Weights."),
        ({"call": 3}, "Everything(call=3): call is a function or None. A function."),
        ({"even": 3}, "3 is odd. Give an even number."),
    ],
)
def test_messages(options, message):
    with pytest.raises(InvalidParameter) as caught:
        check_options(Everything(**options))
    assert str(caught.value) == message


def test_the_signature_is_honest():
    parameters = inspect.signature(Everything).parameters
    assert list(parameters) == ["seed", *VALUES]
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert parameters["widths"].default == (4, 2)
    assert Everything(count=5).get_params()["count"] == 5
    assert repr(Everything(count=5)) == "Everything(count=5)"
    assert Everything() != Everything()  # an estimator is itself, as in scikit-learn


def test_the_docstring_holds_every_option():
    doc = Everything.__doc__
    assert doc.startswith("One option of every kind.")
    for name in options_of(Everything):
        assert f"\n    {name} : " in doc
    assert "    count : int, default=3\n        How many. Allowed: at least 1 and at most 10.\n" in doc


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cuont": 1}, "Everything has no option 'cuont'. Did you mean 'count'? Its options: anything, auto, call, "),
        ({"zzz": 1}, "Everything has no option 'zzz'. Its options: "),
    ],
)
def test_unknown_options(given, words):
    with pytest.raises(UnknownParameter) as caught:
        Everything(**given)
    assert str(caught.value).startswith(words)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("elsewhere", "here"),
    [("hidden_layer_sizes", "hidden"), ("lr", "learning_rate"), ("max_iter", "epochs"), ("n_jobs", "threads")],
)
def test_names_of_other_libraries_are_understood(elsewhere, here):
    with pytest.raises(UnknownParameter, match=f"Did you mean '{here}'"):
        MLPClassifier(**{elsewhere: 1})


def test_options_by_position_are_refused():
    with pytest.raises(UnknownParameter, match=r"MLPClassifier\(\(3,\)\): options are given by name"):
        MLPClassifier((3,))


@pytest.mark.parametrize("name", all_algorithms())
def test_every_option_of_every_algorithm_has_a_text_and_a_default_that_is_allowed(name):
    cls = all_algorithms()[name]
    check_options(cls())
    for option_name, (declared, annotation, default) in options_of(cls).items():
        assert len(declared.text.split()) >= 3, option_name
        assert declared.text.endswith("."), option_name
        assert describe(annotation, declared), option_name
        assert to_json(default) is not NotImplemented
        json.dumps(to_json(default))
        hash(default)  # immutable


# the command line


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "7", 7),
        ("count", " 7 ", 7),
        ("share", "0.25", 0.25),
        ("share", "1e-3", 0.001),
        ("flag", "true", True),
        ("flag", "No", False),
        ("name", "7", "7"),
        ("choice", "green", "green"),
        ("choice", "none", None),
        ("widths", "256,128", (256, 128)),
        ("widths", "(256, 128)", (256, 128)),
        ("widths", "[256 128]", (256, 128)),
        ("widths", "64", (64,)),
        ("widths", "", ()),
        ("widths", "()", ()),
        ("widths", "none", ()),
        ("shares", "0.5,1", (0.5, 1.0)),
        ("auto", "auto", "auto"),
        ("auto", "3", 3.0),
        ("weights", "balanced", "balanced"),
        ("weights", "None", None),
        ("weights", '{"yes": 2, "no": 1.5}', {"yes": 2, "no": 1.5}),
        ("weights", "{0: 2, 1: 1}", {0: 2, 1: 1}),
        ("anything", "sgd(momentum=0.5)", "sgd(momentum=0.5)"),
        ("seed", "42", 42),
        ("seed", "none", None),
        ("even", "4", 4),
    ],
)
def test_parse(name, text, value):
    declared, annotation, _ = options_of(Everything)[name]
    found = parse_option("Everything", name, text, declared, annotation)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "three"),
        ("count", "3.5"),
        ("count", "11"),
        ("share", "half"),
        ("share", "nan"),
        ("flag", "maybe"),
        ("choice", "blue"),
        ("widths", "3,x"),
        ("widths", "0"),
        ("auto", "otto"),
        ("auto", "-1"),
        ("weights", "{"),
        ("weights", "[1]"),
        ("call", "len"),
        ("even", "3"),
    ],
)
def test_parse_refuses_with_the_same_texts(name, text):
    declared, annotation, _ = options_of(Everything)[name]
    with pytest.raises(InvalidParameter) as caught:
        parse_option("Everything", name, text, declared, annotation)
    assert f"Everything({name}=" in str(caught.value) or "odd" in str(caught.value)


@pytest.mark.parametrize("name", all_algorithms())
def test_every_default_can_be_typed(name):
    for option_name, (declared, annotation, default) in options_of(all_algorithms()[name]).items():
        text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        assert parse_option(name, option_name, text, declared, annotation) == default, option_name


# files

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NESTED = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(PLAIN, inner, max_size=4)
)


@given(NESTED)
def test_json_keeps_any_value(value):
    stored = json.loads(json.dumps(to_json(value)))
    found = from_json(stored)
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.True_, True),
        ([1, 2], (1, 2)),
        ({np.int64(0): np.float64(2.0)}, {0: 2.0}),
        (OPTIMIZERS["sgd"](momentum=0.5), "sgd(momentum=0.5)"),
        (SCHEDULES["cosine"](), "cosine"),
    ],
)
def test_json_of_other_types(value, kept):
    found = from_json(json.loads(json.dumps(to_json(value))))
    assert found == kept
    assert type(found) is type(kept)


# names with settings


def test_call_by_name():
    sgd = OPTIMIZERS["sgd"]
    assert call_by_name("optimizer", "SGD", OPTIMIZERS) == sgd()
    assert call_by_name("optimizer", "sgd()", OPTIMIZERS) == sgd()
    assert call_by_name("optimizer", "sgd(0.5, nesterov=False)", OPTIMIZERS) == sgd(0.5, False)
    own = sgd(momentum=0.1)
    assert call_by_name("optimizer", own, OPTIMIZERS) is own


@given(st.text(max_size=30))
def test_call_by_name_of_any_text_is_an_error_that_explains(text):
    try:
        outcome = type(call_by_name("optimizer", text, OPTIMIZERS))
    except InvalidParameter as error:
        outcome = len(str(error).split())
    assert outcome in OPTIMIZERS.values() or outcome > 4


@pytest.mark.parametrize(
    "text",
    [
        "adam" * 1000,
        "(" * 500,
        "sgd(**{})",
        "sgd(*[1])",
        "sgd.step",
        "sgd()()",
        "lambda: 1",
        "adam(1) ; adam",
        "sgd[0]",
    ],
)
def test_call_by_name_runs_nothing(text):
    with pytest.raises(InvalidParameter, match="give a name, or a name with settings in brackets"):
        call_by_name("optimizer", text, OPTIMIZERS)


@given(momentum=st.floats(0, 1, exclude_max=True), nesterov=st.booleans())
def test_call_text_is_read_back(momentum, nesterov):
    settings = OPTIMIZERS["sgd"](momentum=momentum, nesterov=nesterov)
    assert call_by_name("optimizer", call_text("sgd", settings), OPTIMIZERS) == settings


@pytest.mark.parametrize("value", [True, "1", None, np.nan, 2, -1])
def test_in_range_refuses(value):
    with pytest.raises(InvalidParameter, match=r"adam\(beta=.*\): beta is a number at least 0 and below 1"):
        in_range("adam", "beta", value, at_least=0, below=1)


def test_in_range_accepts():
    for value in (0, 0.5, np.float32(0.9)):
        in_range("adam", "beta", value, at_least=0, below=1)
