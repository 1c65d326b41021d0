"""Pages of labels of words, series, masks, boxes, outliers and codes: what a browser answers is what Python answers."""

import json
import wave

import numpy as np
import pandas as pd
import pytest
from tests.deployment.opened import needs_browser, told_by, walk_to

from ganglion.data.dates import parse_dates
from ganglion.data.grid import Grid
from ganglion.data.word_looks import look_of
from ganglion.deployment.examples import plain
from ganglion.deployment.parity import compare

READY = "await ganglion.session; await new Promise((go) => setTimeout(go))"


@pytest.fixture(scope="module")
def tagging(words, page_of_kind):
    model, _, X, path = words
    return model, page_of_kind(path), X


@pytest.fixture(scope="module")
def forecasting(forecasts, page_of_kind):
    model, _, frame, path = forecasts
    return model, page_of_kind(path), frame


def assert_same(model, page, X):
    found = compare(model, page, [("rows", X, plain(page.signature, X))])
    assert found.holds
    assert found.agreement == 1
    assert found.said > 0
    assert page.tab.errors == []


def asked(tab):
    tab.run("document.getElementById('answer').textContent = ''; document.getElementById('submit').click()")
    return tab.run(
        "const told = () => document.querySelector('.error') ?? document.querySelector('#answer > :not(.soft)');"
        "while (!told()) await new Promise((go) => setTimeout(go, 10));"
        "return document.querySelector('.error')?.textContent ?? document.getElementById('answer').textContent"
    )


@needs_browser
def test_words_have_the_labels_of_python(tagging):
    model, page, X = tagging
    assert_same(model, page, X)
    assert_same(model, page, [["Walking", "x", "1984", "never-seen"], ["x"], ["ÿ", "Talks"] * 20])


SIGNS = """Well-known U.S. 1984 McGill ǅungla ǆungla Ⅷ ⅷa x²³ ٣٤ ΑΣ ÉTÉ e\u0301te -- `` '' ab_cd a__b 日本 ªb 𝒳y
iPhone XML2 don’t İstanbul ß ẞ 3.14 3,000 a'' ...!! ⓐb ⒶB"""


@needs_browser
def test_words_look_as_in_python(tagging):
    signs = SIGNS.split()
    told = tagging[1].tab.run(f"return {json.dumps(signs)}.map(ganglion.looksOf)")
    assert told == [list(look_of(sign)) for sign in signs]


@needs_browser
def test_a_text_is_tagged_by_keys_alone(tagging):
    model, page, _ = tagging
    tab = page.tab
    tab.run(READY)
    walk_to(tab, "submit")
    tab.press("Space")
    assert "There is nothing to read: write a text." in told_by(tab)
    tab.press(*"talks x 1984")
    walk_to(tab, "submit")
    tab.press("Space")
    tab.run("while (!document.querySelector('.words')) await new Promise((go) => setTimeout(go, 10))")
    told = tab.run("return [...document.querySelectorAll('.words li')].map((each) => each.textContent)")
    (labels,), (sure,) = model.predict([["talks", "x", "1984"]]), model.predict_proba([["talks", "x", "1984"]])
    shares = [f"{100 * share:.1f} %" for share in sure.max(1)]
    assert told == ["".join(each) for each in zip(["talks", "x", "1984"], labels, shares, strict=True)]


@needs_browser
def test_series_are_forecast_as_in_python(forecasting):
    assert_same(*forecasting)


@needs_browser
def test_a_forecast_is_drawn_and_told(forecasting):
    model, page, frame = forecasting
    tab = page.tab
    tab.run(f"{READY}; document.getElementById('field-0').value = {json.dumps(frame.to_csv(index=False))}")
    assert asked(tab).startswith("one of north")
    rows = tab.run("return [...document.querySelectorAll('#answer tr')].map((row) => row.textContent)")
    assert rows[0] == "stepdayforecast5 %25 %75 %95 %"
    assert [row[:11] for row in rows[1:4]] == ["12024-04-07", "22024-04-08", "32024-04-09"]
    assert len(rows) == 2 * (1 + 3)
    paths = "[...document.querySelectorAll('#answer div > svg path')].map((path) => path.className.baseVal)"
    assert tab.run(f"return {paths}") == ["band", "past", "ahead"] * 2
    saved = tab.run("return (await fetch(document.querySelector('#answer a').href)).text()")
    (told, first, *_) = (line.split(",") for line in saved.splitlines())
    assert told == ["place", "step", "day", "one", *(f"one_{level}" for level in model.quantiles)]
    assert first[:3] == ["north", "1", "2024-04-07"]
    np.testing.assert_allclose(float(first[3]), model.predict(frame)[0, 0], atol=1e-5)


@needs_browser
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda frame: "", "There is no history: paste or type rows, one a step, or give a file."),
        (lambda frame: "day,place,one,other\n", "There are names, but no rows. Give a row for each step."),
        (lambda frame: "1,2\n3\n", "Row 2 has 1 value. Without a line of names, give 2 values a row: one, other."),
        (lambda frame: "1 2\n3 old\n", "Row 2, column other: “old” is not a number such as 12.5."),
        (
            lambda frame: frame.drop(index=95),
            "Series “north” has no step between 2024-04-04 and 2024-04-06, where one after the other is wanted.",
        ),
        (lambda frame: frame.drop(index=99), "other is told for 2 steps ahead of series “north”, and 3 are forecast."),
        (lambda frame: frame.tail(14), "Series “south” has 11 steps up to the last value of one, but the"),
        (lambda frame: frame.rename(columns={"other": "others"}), "The column other is missing. Given: day, place"),
        (lambda frame: frame.assign(day="today"), "Row 1, column day: “today” is not a date such as 2024-03-31."),
    ],
)  # fmt: skip
def test_series_that_cannot_be_read_say_why(forecasting, given, message):
    _, page, frame = forecasting
    rows = given(frame)
    text = rows if isinstance(rows, str) else rows.to_csv(index=False)
    page.tab.run(f"{READY}; document.getElementById('field-0').value = {json.dumps(text)}")
    assert asked(page.tab).startswith(message)


DATES = """2024-03-31 · 2024-03 · 2024-03-31 14:05:09.25 · 2024-03-31T14:05Z · 2024-03-31T14:05+02:00 · 2024/3/1
 · 31.12.1969 · 03/31/2024 · 31/03/2024 · 03/03/2024 · 2024-02-30 · 1950-01-01 00:30 · 2024-01-01 24:00 · 24:00 · now"""


@needs_browser
def test_dates_are_read_and_counted_on_as_in_python(forecasting):
    tab, texts = forecasting[1].tab, [text.strip() for text in DATES.split("·")]
    own = [parse_dates("day", [text]) for text in texts]
    assert tab.run(f"return {json.dumps(texts)}.map(ganglion.dateOf)") == [each and float(each[0]) for each in own]
    assert tab.run("return ganglion.dateOf('03/04/2024')") is None  # of March or of April
    moments = [float(parse_dates("day", [text])[0]) for text in ("2024-01-31 06:30:00", "1969-02-28", "2023-10-06")]
    for unit, step in (("months", 1), ("months", 3), ("weekdays", 1), ("seconds", 900)):
        grid = Grid(unit, step, True)
        told = tab.run(
            f"const grid = {json.dumps(grid.to_json())}, ahead = Array.from({{ length: 30 }}, (_, i) => i + 1);"
            "const of = (last) => [ganglion.timeText(grid, last), ahead.map((n) => ganglion.timeAfter(grid, last, n))];"
            f"return {moments}.map(of)"
        )
        assert told == [[grid.text(last), grid.after(last, 30).tolist()] for last in moments]


def black(model, page):
    """Return what is said of the picture that a page begins with."""
    (pixels,) = page.signature.inputs
    return model.predict(np.zeros((1, *(pixels.sides or (128, 128))), dtype=pixels.dtype))[0]


def shares(model, page):
    labels = black(model, page).ravel().tolist()
    counts = [(label, labels.count(label)) for label in model.classes_.tolist()]
    return "".join(f"{label}{100 * count / len(labels):.1f} %" for label, count in counts if count)


def code(model, page):
    page.tab.run("document.getElementById('field-0').value = '1 -2 3 0.5'")
    return ", ".join(f"{value:.5g}" for value in model.transform([[1, -2, 3, 0.5]])[0])


def usual(model, page):
    nothing = {each.name: [None] for each in page.signature.inputs}
    return "an outlier" if model.predict(pd.DataFrame(nothing))[0] < 0 else "usual"


def found(model, page):
    scores = black(model, page).scores
    worth = (scores >= 0.3).sum() or len(scores)
    less = f", and {len(scores) - worth} less sure" if worth < len(scores) else ""
    return f"{worth or 'nothing'} found{less}"


SHOWN = {"masks": shares, "objects": found, "outliers": usual, "codes": code}


@needs_browser
@pytest.mark.parametrize("kind", SHOWN)
def test_other_answers_are_those_of_python(kind, request, page_of_kind):
    model, _, X, path = request.getfixturevalue(kind)
    page = page_of_kind(path)
    assert_same(model, page, X)
    page.tab.run(READY)
    wanted = SHOWN[kind](model, page)
    assert wanted in asked(page.tab)
    if kind in MORE:
        MORE[kind](model, page.tab, X, path.parent)
    assert page.tab.errors == []


def choose_a_class(model, tab, X, folder):
    """One class alone lies over the picture: elsewhere it is as it was."""
    corner = "document.querySelector('#answer canvas').getContext('2d').getImageData(0, 0, 1, 1).data"
    names = tab.run("return [...document.getElementById('seen').options].map((each) => each.textContent)")
    first = str(model.predict(np.zeros((1, 128, 128), dtype=np.uint8))[0, 0, 0])
    assert names[0] == "every class"
    for name in names:
        tab.run(
            f"const seen = document.getElementById('seen'); seen.selectedIndex = {names.index(name)}; seen.onchange()"
        )
        assert any(tab.run(f"return [...{corner}]")[:3]) == (name in ("every class", f"{first} alone"))


def ask_for_less(model, tab, X, folder):
    n = len(model.predict(np.zeros((1, 12, 10)))[0])
    assert n
    told = "const slider = document.getElementById('surely'); slider.value = LEAST; slider.oninput();"
    told += (
        "return [document.querySelector('.label').textContent, document.querySelectorAll('#answer tbody tr').length]"
    )
    assert tab.run(told.replace("LEAST", "0")) == [f"{n} found", n]
    assert tab.run(told.replace("LEAST", "100")) == [f"nothing found, and {n} less sure", 0]


def answer_a_file(model, tab, X, folder):
    X.to_csv(folder / "rows.csv", index=False)
    tab.choose("#file", folder / "rows.csv")
    told = tab.run(
        "while (!document.querySelector('#rows tr')) await new Promise((go) => setTimeout(go, 10));"
        "return [...document.querySelectorAll('#rows tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert told[0] == ["predicted", "score", *X.columns, "code 0", "code 1"]
    labels = ["an outlier" if label < 0 else "usual" for label in model.predict(X)[:20]]
    assert [row[0] for row in told[1:]] == labels
    (folder / "picture.csv").write_bytes(bytes(range(256)))
    tab.choose("#file", folder / "picture.csv")
    told = tab.run(
        "while (!document.querySelector('.error')) await new Promise((go) => setTimeout(go, 10));"
        "return document.querySelector('.error').textContent"
    )
    assert told == "picture.csv is no text that can be read. Give a CSV file."


MORE = {"masks": choose_a_class, "objects": ask_for_less, "outliers": answer_a_file}


@needs_browser
def test_windows_are_given_as_rows_of_numbers(windows, page_of_kind):
    model, _, X, path = windows
    page = page_of_kind(path)
    assert_same(model, page, X.astype(np.float32))

    def told(text):
        page.tab.run(f"{READY}; document.getElementById('numbers').value = {json.dumps(text)}")
        return asked(page.tab)

    rows = [" ".join(f"{value:.3f}" for value in row) for row in X[0]]
    score = model.decision_function(np.round(X[:1], 3))[0]
    assert f"How usual it is: {score:.3f}" in told("\n".join(rows))
    assert told("\n".join(rows[1:])) == "8 rows were given. Give 9, of 5 numbers each."
    assert told("\n".join([*rows[1:], "1 2 3 4 x"])) == "Row 9: “x” in place 5 is not a number such as 12.5."


@needs_browser
def test_what_is_said_is_written_down_as_in_python(spoken, page_of_kind, tmp_path):
    model, _, X, path = spoken
    page = page_of_kind(path)
    assert_same(model, page, X)
    rate, samples = X[0]
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.asarray(samples) / np.abs(samples).max() * 32_000).astype("<i2").tobytes())
    (own,) = model.predict([str(tmp_path / "said.wav")])
    page.tab.run(READY)
    page.tab.choose("#field-0", tmp_path / "said.wav")
    page.tab.run("while (!recorded.textContent) await new Promise((go) => setTimeout(go, 10))")
    assert own
    assert asked(page.tab).startswith(f"{own}Answered")
