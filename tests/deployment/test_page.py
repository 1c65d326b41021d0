"""Pages: what a browser answers is what Python answers."""

import io
import json
import re
import time
import unicodedata
from base64 import b64encode
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits
from tests.deployment.opened import needs_browser, told_by, walk_to

import ganglion as gg
from ganglion.data.image_files import Form, decode
from ganglion.data.recording_files import decode as decode_sound
from ganglion.data.recording_files import look as look_at_sound
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.deployment import page_export
from ganglion.deployment.describing import signature_of
from ganglion.deployment.kinds import KINDS
from ganglion.deployment.page_export import page_of
from ganglion.deployment.web_runtime import PLACE, WebRuntime, find_web_runtime
from ganglion.errors import ExportRefused, InvalidParameter, MissingExtra
from ganglion.estimators.artifact import describe
from ganglion.estimators.card import model_card

N = 200


@pytest.fixture(scope="module")
def people():
    """A table of numbers and categories, with holes, and classes with names."""
    rng = np.random.default_rng(0)
    n = 400
    age, city = rng.uniform(18, 90, n), rng.choice(['Bern, "old"', "Łódź", "New York"], n)
    member = rng.choice(["yes", "no"], n)
    y = np.where(age / 90 + (city == "Łódź") + rng.normal(0, 0.2, n) > 0.9, "stays", "goes <away>")
    ages = [None if hole else float(value) for hole, value in zip(rng.random(n) < 0.1, age, strict=True)]
    cities = [None if hole else str(value) for hole, value in zip(rng.random(n) < 0.1, city, strict=True)]
    X = {"age": ages, "city & state": cities, "member": member.tolist()}
    return X, y


@pytest.fixture(scope="module")
def table(people, open_page):
    X, y = people
    model = gg.MLPClassifier(hidden=(16,), epochs=30, random_state=0).fit(X, y)
    return model, open_page(model)


@pytest.fixture(scope="module")
def digits(open_page):
    X, y = load_digits(return_X_y=True)
    pixels = (X.reshape(-1, 8, 8) * 15.9).astype(np.uint8)
    model = gg.CNNClassifier(channels=(4, 8), epochs=2, random_state=0).fit(pixels, y)
    return model, open_page(model), pixels


@pytest.fixture(scope="module")
def texts(open_page):
    y = ["a", "b", "a", "b", "a", "b", "a"]
    model = gg.TextCNN(tokenizer="words(min_count=1)", max_length=40, maps=4, epochs=2, random_state=0)
    model.fit(TEXTS * 5, y * 5)
    return model, open_page(model)


def assert_same(model, page, X):
    told = page.answer(X)
    assert told["label"].tolist() == model.predict(X).tolist()
    assert np.abs(told["probabilities"] - model.predict_proba(X)).max() < 1e-5
    assert page.tab.errors == []


@needs_browser
def test_a_table_is_answered_in_the_browser_as_in_python(table, people):
    X = {name: values[:N] for name, values in people[0].items()}
    X["city & state"][0], X["age"][1] = "Atlantis", 1e6
    assert_same(*table, X)


@needs_browser
def test_a_form_is_filled_and_answered_by_keys_alone(table):
    model, page = table
    page.tab.run("await ganglion.session; await new Promise((go) => setTimeout(go))")
    walk_to(page.tab, "field-0")
    page.tab.press(*"old")
    page.tab.press("Enter")
    assert "“old” is not a number such as 12.5. Leave it empty if it is not known." in told_by(page.tab)
    assert page.tab.run("return document.activeElement.id") == "field-0"  # what is wrong has the focus
    page.tab.run("document.activeElement.select()")
    page.tab.press(*"33.5")
    walk_to(page.tab, "field-1")
    page.tab.press("ArrowDown", "ArrowDown", "ArrowDown")  # not known, Bern, New York, Łódź
    walk_to(page.tab, "field-2")
    page.tab.press("ArrowDown")
    walk_to(page.tab, "submit")
    page.tab.press("Space")
    told = told_by(page.tab)
    row = {"age": [33.5], "city & state": ["Łódź"], "member": ["no"]}
    assert model.predict(row)[0] in told
    assert f"{100 * model.predict_proba(row).max():.1f} %" in told
    assert page.tab.errors == []
    assert all(each.startswith(("file:", "blob:")) for each in page.tab.requests)


@needs_browser
def test_unnamed_numbers_are_answered_as_in_python(open_page):
    X, y = load_breast_cancer(return_X_y=True)
    model = gg.MLPClassifier(hidden=(8,), epochs=5, random_state=0).fit(X, y)
    assert_same(model, open_page(model), X[:N])


@needs_browser
def test_pictures_are_answered_as_in_python(digits):
    model, page, pixels = digits
    assert_same(model, page, pixels[:N])


@needs_browser
def test_a_picture_is_drawn_by_keys_alone(digits):
    model, page, _ = digits
    page.tab.run("await ganglion.session; await new Promise((go) => setTimeout(go))")
    walk_to(page.tab, "field-0")
    page.tab.press("ArrowUp", "ArrowUp", "ArrowLeft", "ArrowLeft")
    assert not drawn(page.tab).any()
    page.tab.hold("Space")
    page.tab.press(*["ArrowRight"] * 3, *["ArrowDown"] * 4)
    page.tab.release("Space")
    walk_to(page.tab, "submit")
    page.tab.press("Space")
    assert told_by(page.tab).startswith(f"{model.predict(drawn(page.tab))[0]}")
    assert drawn(page.tab)[0].astype(bool).sum() >= 8


def drawn(tab):
    pixels = tab.run("return [...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 8, 8).data]")
    return np.array(pixels, dtype=np.uint8).reshape(1, 8, 8, 4)[..., 0]


def choose(tab, file):
    """Give a picture to the page; return what it says of its size."""
    tab.run("document.getElementById('pictured').textContent = ''")
    tab.choose("#picture", file)
    return tab.run(
        "const told = document.getElementById('pictured');"
        "while (!told.textContent) await new Promise((go) => setTimeout(go, 10)); return told.textContent"
    )


@needs_browser
@pytest.mark.parametrize("n", [1, 3, 4])  # channels: grey, colour, with transparency
def test_pictures_of_any_size_are_answered_as_in_python(digits, n, tmp_path):
    image = pytest.importorskip("PIL.Image")
    model, page, _ = digits
    rng = np.random.default_rng(0)
    for height, width in ((1, 9), (97, 64), (8, 8), (150, 260)):
        given = rng.integers(0, 256, (height, width, n), dtype=np.uint8)
        file = tmp_path / f"{height}.png"
        image.fromarray(given[..., 0] if n == 1 else given).save(file)
        brought = "" if (height, width) == (8, 8) else ", brought to 8 × 8"
        assert choose(page.tab, file) == f"{height}.png has {width} × {height} pixels{brought}."
        told = page.tab.run("return [[...sample().image.data], sample().image.dims, await ganglion.answer(sample())]")
        seen = decode(io.BytesIO(file.read_bytes()), Form(1, (height, width), "stretch", is_deep=False))[0]
        assert told[1] == [1, height, width, 1]
        if n < 4:
            np.testing.assert_array_equal(told[0], seen.ravel())
            np.testing.assert_allclose(told[2]["probabilities"], model.predict_proba([file]), atol=1e-5)
        else:  # browsers round what is transparent in their own way
            assert np.abs(told[0] - seen.ravel().astype(int)).max() <= 1


@needs_browser
def test_what_is_no_picture_says_so(digits, tmp_path):
    _, page, _ = digits
    (tmp_path / "notes.png").write_text("no picture")
    page.tab.choose("#picture", tmp_path / "notes.png")
    assert "notes.png is no picture that can be read" in page.tab.run(
        "while (!document.querySelector('.error')) await new Promise((go) => setTimeout(go, 10));"
        "return document.querySelector('.error').textContent"
    )
    page.tab.run("document.querySelector('[type=reset]').click()")
    assert not drawn(page.tab).any()


@needs_browser
@pytest.mark.parametrize(
    ("form", "kind", "rate", "channels"),
    [
        ("WAV", "PCM_16", 44_100, 2),
        ("WAV", "PCM_24", 11_025, 1),
        ("WAV", "FLOAT", 16_000, 1),
        ("FLAC", "PCM_16", 22_050, 2),
    ],
)
def test_sound_is_read_and_brought_to_another_rate_as_in_python(table, form, kind, rate, channels):
    soundfile = pytest.importorskip("soundfile")
    sound = np.random.default_rng(0).uniform(-1, 1, (rate // 4, channels))
    file = io.BytesIO()
    soundfile.write(file, sound, rate, kind, format=form)
    address = f"data:audio/wav;base64,{b64encode(file.getvalue()).decode()}"
    _, page = table
    told = page.tab.run(
        f"const sound = await ganglion.heard(await (await fetch('{address}')).blob());"
        "return [sound.rate, sound.short, [...ganglion.brought(sound, 8000)]]"
    )
    own, short = decode_sound(file, 8_000), look_at_sound(file).is_short
    own = np.clip(np.round(own * 2**15), -(2**15), 2**15 - 1) / 2**15 if short else own
    assert told[:2] == [rate, short]
    assert len(told[2]) == len(own)
    assert np.abs(told[2] - own).max() <= (1 / 2**15 if short else 1e-6)  # where rounding falls the other way


@needs_browser
def test_recordings_are_heard_and_answered_as_in_python(open_page, tone):
    pytest.importorskip("soundfile")
    rng, time_s = np.random.default_rng(0), np.arange(4_000) / 8_000
    X = [(8_000, (np.sin(2 * np.pi * pitch * time_s) + rng.normal(0, 0.05, 4_000)) / 2) for pitch in (300, 1_200) * 12]
    model = gg.CNNClassifier(channels=(4, 8), epochs=20, random_state=0).fit(X, ["low", "high"] * 12)
    tab = open_page(model).tab
    tab.run("await ganglion.session; await new Promise((go) => setTimeout(go))")

    def answered():
        tab.run("document.getElementById('answer').textContent = ''; document.getElementById('submit').click()")
        return told_by(tab)

    assert "There is nothing to hear: give a file, or record." in answered()
    tab.choose("#field-0", tone)
    tab.run("while (!document.getElementById('recorded').textContent) await new Promise((go) => setTimeout(go, 10))")
    (label,), sure = model.predict([str(tone)]), model.predict_proba([str(tone)]).max()
    assert answered().startswith(f"{label}{label}{100 * sure:.1f} %")
    # by the microphone, and keys alone
    tab.run("document.getElementById('record').focus()")
    tab.press("Space")
    tab.run(
        "while (document.getElementById('record').textContent !== 'Stop') await new Promise((go) => setTimeout(go, 10))"
    )
    time.sleep(1)
    tab.press("Space")
    tab.run(
        "const told = document.getElementById('recorded');"
        "while (!told.textContent.startsWith('Recorded')) await new Promise((go) => setTimeout(go, 10))"
    )
    assert answered().startswith(label)
    assert [each for each in tab.errors if "ScriptProcessorNode is deprecated" not in each] == []
    assert all(each.startswith(("file:", "blob:")) for each in tab.requests)


TEXTS = [
    "A good film.",
    "bad; I can't say",
    "Ça va très bien!",
    "naïve_1 23 x²",
    "日本 good",
    "don’t  don't\n\tgo",
    "e\u0301te\u0301",
]
# of signs that are new every Python, browser and library has its own idea; these were there in 2002
SIGNS = [chr(point) for point in range(0x2FFF) if unicodedata.ucd_3_2_0.category(chr(point)) != "Cn"]
PIECES = st.one_of(
    st.sampled_from(
        ["good", "film", "Can't", "'ll", " ", "  ", "\n", "##", "<unk>", "naïve", "é", "日本", "𝒳", "ß", "\ud800"]
    ),
    st.characters(codec="ascii"),
    st.sampled_from(SIGNS),
)


@needs_browser
@pytest.mark.parametrize(
    "tokenizer",
    [
        *("words(min_count=1)", "words(min_count=1, lowercase=False)", "characters"),
        *("bpe(vocabulary=290)", "bpe(vocabulary=290, lowercase=True)"),
        *("wordpiece(vocabulary=80, min_count=1)", "wordpiece(vocabulary=80, min_count=1, lowercase=False)"),
    ],
)
def test_any_text_is_cut_as_in_python(tokenizer, texts):
    if tokenizer.startswith(("bpe", "wordpiece")):
        pytest.importorskip("tokenizers")
    _, page = texts
    fitted = tokenizer_by_name(tokenizer).fit(TEXTS * 5)

    @settings(max_examples=20)
    @given(st.lists(st.lists(PIECES, max_size=12).map("".join), min_size=1, max_size=40))
    def same(some):
        ids, lengths = fitted.ids(some)
        told = page.tab.run(
            f"const tokenizer = {json.dumps(fitted.to_json())};"
            f"return {json.dumps(some)}.map((text) => ganglion.cut(text, tokenizer))"
        )
        own = [part.tolist() for part in np.split(ids, np.cumsum(lengths)[:-1])]
        assert told == own
        written = page.tab.run(
            f"const tokenizer = {json.dumps(fitted.to_json())};"
            f"return {json.dumps(own)}.map((ids) => ganglion.transcript(ids, tokenizer))"
        )
        assert written == [fitted.decode(each).strip() for each in own]

    same()


@needs_browser
def test_texts_are_answered_as_in_python(texts):
    assert_same(*texts, [*TEXTS, "ÉTÉ good unknownword", "o'clock's ’tis rock'n'roll", "good " * 40])


# what needs no browser


def test_a_page_without_its_runtime_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv(PLACE, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingExtra, match=r"Install it \(`npm install onnxruntime-web`\)"):
        find_web_runtime()
    (tmp_path / "package.json").write_text('{"version": "1.30.0"}')
    with pytest.raises(MissingExtra, match="is not the whole npm package"):
        find_web_runtime()


def test_nothing_of_a_model_is_taken_for_script(people):
    X, y = people
    hostile = "</script><script>alert(1)</script>"
    X = {**X, hostile: X["member"]}
    model = gg.MLPClassifier(hidden=(4,), epochs=1, random_state=0).fit(X, np.where(y == "stays", hostile, "no"))
    page = page_of(signature_of(model), b"", model_card(describe(model)), WebRuntime("1", "", b"", b""))
    assert "alert(1)</script>" not in page
    told = re.search(r'<script type="application/json" id="signature">(.*?)</script>', page, re.DOTALL)
    assert json.loads(told[1])["inputs"][3]["name"] == hostile


def test_what_no_browser_holds_is_refused(monkeypatch):
    model = gg.MLPClassifier(hidden=(2,), epochs=1, random_state=0).fit([[0.0], [1.0]] * 5, [0, 1] * 5)
    monkeypatch.setattr(page_export, "MOST_TEXT", 100)
    page = (signature_of(model), bytes(range(256)), "", WebRuntime("1", "", b"", b""))
    with pytest.raises(ExportRefused, match=r"browsers hold 0 million\. Export to \.onnx and serve that"):
        page_of(*page)


def test_every_task_that_leaves_has_a_page():
    assert set(KINDS) <= set(page_export.SUBTITLES)
    scripts = "".join(files("ganglion.deployment").joinpath("page", name).read_text() for name in page_export.SCRIPTS)
    assert all(re.search(rf"^(SHOWS\.|  ){task}(:| =|\()", scripts, re.MULTILINE) for task in KINDS)


def test_no_connection_is_allowed():
    page = files("ganglion.deployment").joinpath("page", "page.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_an_unknown_ending_is_refused(tmp_path):
    model = gg.MLPClassifier(hidden=(2,), epochs=1, random_state=0).fit([[0.0], [1.0]] * 5, [0, 1] * 5)
    with pytest.raises(InvalidParameter, match=r"no format ends with '.htm'"):
        gg.export(model, tmp_path / "model.htm")
