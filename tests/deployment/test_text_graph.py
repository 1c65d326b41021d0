"""Graphs that take texts: the ids of the tokenizer, letter by letter of Unicode, and the answers of the original."""

import re
import warnings

import numpy as np
import onnxruntime
import pandas as pd
import pytest

import ganglion as gg
from ganglion.checks.data import tagged
from ganglion.data.tokenizers import tokenizer_by_name
from ganglion.deployment.signature import Input, Signature
from ganglion.deployment.string_nodes import every_letter, small_letters
from ganglion.deployment.text_graph import EDGES, first_cut_otherwise
from ganglion.errors import DataWarning, ExportRefused, InvalidInput, UnsupportedType

GERMAN = [
    "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
    "Ein kleines Mädchen klettert in ein Spielhaus aus Holz; drüben übt jemand Saxophon!",
]


def on_the_border():
    """Return the letters where one kind begins or ends for Python, and all that have a small form."""
    letters = every_letter()
    ends = [end for run in re.finditer(r"\w+|\s+", letters) for end in run.span()]
    return sorted({letters[min(i, len(letters) - 1)] for end in ends for i in (end - 1, end)} | set(small_letters()))


def signature_of_texts(tokenizer, longest=0):
    return Signature(
        estimator="TextCNN",
        task="classification",
        modality="text",
        target="",
        inputs=(Input("tokens", "tokens", "int64", ("N", "T")),),
        outputs=(),
        tokenizer=tokenizer.to_json(),
        columns=("text",),
        longest=longest,
    )


@pytest.mark.parametrize(
    ("name", "longest"),
    [("characters", 0), ("characters(lowercase=True)", 0), ("words", 0), ("words", 3), ("words(lowercase=False)", 0)],
)
def test_ids_are_those_of_the_tokenizer(name, longest):
    between = [f"a{c}b {c} '{c}" for c in on_the_border()] + [
        f"AΣ{c} A{c}Σ A{c}Σ{c}B {c}Σ" for c in "'.:^\u0301\u00adB1 "
    ]
    longer = [*EDGES, *GERMAN]
    known = [f"{text} {text.lower()}" for text in (*longer, *between[::2])]  # of the others much was never seen
    settings = tokenizer_by_name(name[:-1] + ", min_count=1)" if "(" in name else name + "(min_count=1)")
    signature = signature_of_texts(settings.fit(known), longest)
    assert first_cut_otherwise(signature, longer) is None
    assert first_cut_otherwise(signature, between) is None


def test_a_text_that_is_cut_otherwise_is_found(monkeypatch):
    monkeypatch.setattr("ganglion.deployment.string_nodes.sigma_neighbours", lambda: {"A": 1})
    tokenizer = tokenizer_by_name("words(min_count=1)").fit(["οδος"])
    assert first_cut_otherwise(signature_of_texts(tokenizer), ["ΟΔΟΙ", "ΟΔΟΣ"]) == "ΟΔΟΣ"


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    words = np.random.default_rng(0).choice(["Great", "dull", "film", "Café", "plot,", "don't"], (60, 12))
    titles = [f"Part {i} of the {' '.join(row[:4])}" for i, row in enumerate(words)]
    frame = pd.DataFrame({"title": titles, "label": [" ".join(row[4:]) for row in words]})
    y = np.where([text.count("dull") > 1 for text in frame.label], "bad", "good")
    model = gg.TextCNN(tokenizer="words(min_count=1)", max_length=12, maps=4, embedding=8, epochs=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # texts are longer than that
        model.fit(frame, y)
    path = tmp_path_factory.mktemp("texts") / "reviews.onnx"
    assert gg.export(model, path, strings=True).parity.holds
    return model, path, frame


def test_texts_go_in_and_labels_come_out(reviews):
    model, path, frame = reviews
    session = onnxruntime.InferenceSession(path)
    assert {each.name: (each.type, each.shape) for each in session.get_inputs()} == {
        "title": ("tensor(string)", ["N"]),
        "label": ("tensor(string)", ["N"]),
    }
    assert [each.name for each in session.get_outputs()] == ["label_", "probabilities"]
    for n in (1, 7, 60):
        labels, shares = session.run(None, {name: frame[name].to_numpy(object)[:n] for name in frame})
        with pytest.warns(DataWarning, match="not read"):
            own = model.predict_proba(frame[:n])
        np.testing.assert_allclose(shares, own, atol=1e-6)
        assert labels.tolist() == model.classes_[own.argmax(1)].tolist()


@pytest.mark.parametrize(
    ("title", "label", "as_text"),
    [
        (["CAFÉ\u2003dull\n\nDON'T", "😀"], ["x", "ÉTÉ"], None),
        ([None, "dull"], ["dull", float("nan")], {"title": ["", "dull"], "label": ["dull", ""]}),
        (["film"], ["great \ud800 film"], {"title": ["film"], "label": ["great ? film"]}),
    ],
)
def test_texts_as_users_have_them(reviews, title, label, as_text):
    model, path, _ = reviews
    rows = {"title": title, "label": label}
    own = model.predict_proba(pd.DataFrame(as_text or rows))
    np.testing.assert_allclose(gg.OnnxModel.load(path).predict_proba(rows), own, atol=1e-6)


def test_an_empty_text_is_refused(reviews):
    _, path, _ = reviews
    alone, session = gg.OnnxModel.load(path), onnxruntime.InferenceSession(path)
    texts = {"title": ["dull", " "], "label": ["", "\u2003"]}
    with pytest.raises(InvalidInput, match="text 1 is empty"):
        alone.predict(texts)
    with pytest.raises(Exception, match="a text without a token was given"):
        session.run(None, {name: np.array(given, dtype=object) for name, given in texts.items()})
    with pytest.raises(UnsupportedType, match="text 1 is a int"):
        alone.predict(["dull", 3])
    with pytest.raises(InvalidInput, match="'title' is missing"):
        alone.predict({"label": ["dull"]})


@pytest.mark.parametrize(
    ("model", "X", "y", "message"),
    [
        (gg.TextCNN(tokenizer="bpe(min_count=1)", maps=2), GERMAN * 4, [0, 1] * 4, "cut by bpe.*tokenizer='words'"),
        (gg.RNNTagger(width=4), *tagged(n=8), "reads lists of words"),
        (gg.MLPClassifier(hidden=(4,)), np.eye(8), [0, 1] * 4, "reads table data, no texts"),
    ],
)
def test_what_no_operators_cut_is_refused(model, X, y, message, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.set_params(epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ExportRefused, match=message):
        gg.export(model, tmp_path / "model.onnx", strings=True)
    assert not list(tmp_path.iterdir())
