"""Pages: what a browser answers is what Python answers."""

import json
import re
from importlib.resources import files

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

import ganglion as gg
from ganglion.deployment.onnx_export import onnx_bytes
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.page_export import page_of
from ganglion.deployment.web_runtime import PLACE, WebRuntime, find_web_runtime
from ganglion.errors import ExportRefused, InvalidParameter, MissingExtra

from .browser import RUNTIME, needs_browser, needs_runtime, told_by

N = 200


@pytest.fixture(autouse=True)
def _runtime(monkeypatch):
    if RUNTIME is not None:
        monkeypatch.setenv(PLACE, str(RUNTIME))


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
def table_page(people, tmp_path_factory):
    X, y = people
    model = gg.MLPClassifier(hidden=(16,), epochs=30, random_state=0).fit(X, y)
    if RUNTIME is None:
        pytest.skip("onnxruntime-web is not here")
    path = tmp_path_factory.mktemp("page") / "people.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLACE, str(RUNTIME))
        gg.export(model, path)
    return model, path


def as_csv(columns):
    def cell(value):
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text

    rows = zip(*columns.values(), strict=True)
    return "\n".join(",".join(map(cell, row)) for row in [tuple(columns), *rows])


@needs_browser
@needs_runtime
def test_a_table_is_answered_in_the_browser_as_in_python(table_page, people):
    model, path = table_page
    X = {name: values[:N] for name, values in people[0].items()}
    X["city & state"][0], X["age"][1] = "Atlantis", 1e6
    told = told_by(path, f"return (await ganglion.answerTable({json.dumps(as_csv(X))}))[2]")
    assert told["label"] == model.predict(X).tolist()
    assert np.abs(np.array(told["probabilities"]) - model.predict_proba(X)).max() < 1e-5


@needs_browser
@needs_runtime
def test_the_form_is_read_and_answered(table_page):
    model, path = table_page
    script = """
        const pause = () => new Promise((go) => setTimeout(go, 20));
        while (document.getElementById('submit').disabled) await pause();
        const set = (name, value) => {
          const label = [...document.querySelectorAll('label')].find((each) => each.textContent === name);
          document.getElementById(label.htmlFor).value = value;
        };
        const told = () => document.getElementById('answer').textContent;
        set('age', 'old');
        document.getElementById('submit').click();
        const error = document.querySelector('.error').textContent;
        set('age', '33.5'); set('city & state', 'Łódź'); set('member', 'no');
        document.getElementById('submit').click();
        while (told() === 'None yet.') await pause();
        return { error, told: told(), errors: document.querySelectorAll('.error').length };
    """
    told = told_by(path, script)
    assert told["error"] == "“old” is not a number such as 12.5. Leave it empty if it is not known."
    row = {"age": [33.5], "city & state": ["Łódź"], "member": ["no"]}
    assert told["told"].startswith(model.predict(row)[0])
    assert f"{100 * model.predict_proba(row).max():.1f} %" in told["told"]
    assert told["errors"] == 0


@needs_browser
@needs_runtime
def test_unnamed_numbers_are_answered_as_in_python(tmp_path):
    X, y = load_breast_cancer(return_X_y=True)
    model = gg.MLPClassifier(hidden=(8,), epochs=5, random_state=0).fit(X, y)
    gg.export(model, tmp_path / "cancer.html")
    told = told_by(tmp_path / "cancer.html", f"return await ganglion.answer({{X: {json.dumps(X[:N].tolist())}}})")
    assert told["label"] == model.predict(X[:N]).tolist()
    assert np.abs(np.array(told["probabilities"]) - model.predict_proba(X[:N])).max() < 1e-5


@needs_browser
@needs_runtime
def test_pictures_are_answered_as_in_python(tmp_path):
    X, y = load_digits(return_X_y=True)
    pixels = (X.reshape(-1, 8, 8) * 15.9).astype(np.uint8)
    model = gg.CNNClassifier(channels=(4, 8), epochs=2, random_state=0).fit(pixels, y)
    gg.export(model, tmp_path / "digits.html")
    given = json.dumps(pixels[:N, :, :, None].tolist())
    told = told_by(tmp_path / "digits.html", f"return await ganglion.answer({{image: {given}}})")
    assert told["label"] == model.predict(pixels[:N]).tolist()
    assert np.abs(np.array(told["probabilities"]) - model.predict_proba(pixels[:N])).max() < 1e-5


TEXTS = [
    "A good film.",
    "bad; I can't say",
    "Ça va très bien!",
    "naïve_1 23 x²",
    "日本 good",
    "don’t  don't\n\tgo",
    "e\u0301te\u0301",
]


@needs_browser
@needs_runtime
@pytest.mark.parametrize("tokenizer", ["words(min_count=1)", "words(min_count=1, lowercase=False)", "characters"])
def test_texts_are_cut_and_answered_as_in_python(tokenizer, tmp_path):
    y = ["a", "b", "a", "b", "a", "b", "a"]
    model = gg.TextCNN(tokenizer=tokenizer, max_length=40, maps=4, epochs=2, random_state=0).fit(TEXTS * 5, y * 5)
    gg.export(model, tmp_path / "texts.html")
    new = [*TEXTS, "ÉTÉ good unknownword", "o'clock's ’tis rock'n'roll"]
    script = f"""
        const cut = {json.dumps(new)}.map((text) => ganglion.idsOf(text, 'field-0'));
        const answers = [];
        for (const ids of cut) answers.push(await ganglion.answer({{ tokens: [ids], tokens_length: [ids.length] }}));
        return {{ cut, answers }};
    """
    told = told_by(tmp_path / "texts.html", script)
    ids, lengths = model.encoder_.tokenizer.ids(new)
    assert told["cut"] == [part.tolist() for part in np.split(ids, np.cumsum(lengths)[:-1])]
    assert [each["label"][0] for each in told["answers"]] == model.predict(new).tolist()


# what needs no browser


def test_pieces_of_words_are_refused(tmp_path):
    pytest.importorskip("tokenizers")
    if RUNTIME is None:
        pytest.skip("onnxruntime-web is not here")
    model = gg.TextCNN(tokenizer="bpe(vocabulary=300)", max_length=100, maps=4, epochs=1, random_state=0).fit(
        TEXTS * 5, [0, 1, 0, 1, 0, 1, 0] * 5
    )
    with pytest.raises(
        ExportRefused, match=r"cut by the tokenizer 'bpe', which the page has not learned. Train it with"
    ):
        gg.export(model, tmp_path / "texts.html")
    assert not list(tmp_path.iterdir())


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
    raw, _ = onnx_bytes(model)
    exported = OnnxModel(raw)
    page = page_of(exported.signature, raw, exported.card, WebRuntime("1", "", b"", b""))
    assert "alert(1)</script>" not in page
    told = re.search(r'<script type="application/json" id="signature">(.*?)</script>', page, re.DOTALL)
    assert json.loads(told[1])["inputs"][3]["name"] == hostile


def test_no_connection_is_allowed():
    page = files("ganglion.deployment").joinpath("page", "page.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_an_unknown_ending_is_refused(tmp_path):
    model = gg.MLPClassifier(hidden=(2,), epochs=1, random_state=0).fit([[0.0], [1.0]] * 5, [0, 1] * 5)
    with pytest.raises(InvalidParameter, match=r"no format ends with '.htm'"):
        gg.export(model, tmp_path / "model.htm")
