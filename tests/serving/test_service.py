"""The application: every way to ask gives what the model says in Python, and what is wrong is a clear 4xx."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.serving.asking import ask, frame, get, post, rows_of, service_of

import ganglion as gg
from ganglion.deployment.serving.settings import Limits, Settings
from ganglion.errors import InvalidModel, InvalidParameter


def test_json_rows_get_the_models_own_answer(mixed, table_service):
    table = frame(30, seed=1)
    answer = post(table_service, "/predict", json=rows_of(table))
    assert answer.status_code == 200
    said = answer.json()
    assert said["model"] == "mixed"
    assert said["classes"] == ["no", "yes"]
    assert said["predictions"] == mixed.predict(table).tolist()
    np.testing.assert_allclose(said["probabilities"], mixed.predict_proba(table), atol=1e-6)


def test_all_forms_of_a_request_are_the_same(table_service):
    table = frame(6, seed=2)
    rows = rows_of(table)
    raw = table.to_csv(index=False).encode()
    forms = [
        {"json": rows},
        {"json": {"rows": rows}},
        {"json": [list(row.values()) for row in rows]},
        {"content": raw, "headers": {"content-type": "text/csv"}},
        {"content": table.to_csv(index=False, sep=";").encode(), "headers": {"content-type": "text/csv"}},
        {"files": {"file": ("rows.csv", raw, "text/csv")}},
        {"files": {"x": ("../../etc/passwd", raw, "application/octet-stream")}},
    ]
    answers = ask(table_service, *(("POST", "/predict/mixed", form) for form in forms))
    answers += ask(table_service, ("POST", "/predict/mixed/versions/1", {"json": rows}))
    assert [each.status_code for each in answers] == [200] * 8
    first = answers[0].json()
    for each in answers[1:]:
        assert each.json()["predictions"] == first["predictions"]
        np.testing.assert_allclose(each.json()["probabilities"], first["probabilities"], atol=1e-6)
    alone = post(table_service, "/predict", json=rows[0])
    assert alone.json()["predictions"] == first["predictions"][:1]


def test_numbers_of_a_block_are_predicted(numbers):
    X = np.random.default_rng(1).normal(size=(5, 3))
    answer = post(service_of({"n": numbers}), "/predict", json=X.tolist())
    np.testing.assert_allclose(answer.json()["predictions"], numbers.predict(X), rtol=1e-6)
    assert "probabilities" not in answer.json()


def test_unknown_categories_are_answered_as_the_model_does(mixed, table_service):
    table = frame(4, seed=3).assign(color="mauve")
    answer = post(table_service, "/predict", json=rows_of(table))
    np.testing.assert_allclose(answer.json()["probabilities"], mixed.predict_proba(table), atol=1e-6)


def test_texts_are_classified(texts):
    service = service_of({"film": texts})
    asked = ["a good day", "a bad bad film"]
    for form in (asked, [{"text": each} for each in asked], [[each] for each in asked]):
        answer = post(service, "/predict", json=form)
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"] == texts.predict(asked).tolist()
    assert post(service, "/predict", json=["ok", " "]).status_code == 422
    assert post(service, "/predict", json=["/etc/passwd"]).status_code == 200  # a text, and not a path


# files


def png(pixels):
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, "PNG")
    return raw.getvalue()


def test_pictures_are_brought_to_the_size_of_training(pictures):
    service = service_of({"p": pictures})
    pixels = np.random.default_rng(1).integers(0, 255, (2, 12, 10, 3), dtype=np.uint8)
    expected = pictures.predict_proba(pixels)
    body = post(service, "/predict", content=png(pixels[0]), headers={"content-type": "image/png"})
    np.testing.assert_allclose(body.json()["probabilities"], expected[:1], atol=1e-6)
    form = post(service, "/predict", files=[("file", (f"{i}.png", png(each))) for i, each in enumerate(pixels)])
    np.testing.assert_allclose(form.json()["probabilities"], expected, atol=1e-6)
    large = np.random.default_rng(2).integers(0, 255, (31, 47), dtype=np.uint8)
    other = post(service, "/predict", content=png(large), headers={"content-type": "image/png"})
    np.testing.assert_allclose(
        other.json()["probabilities"], pictures.predict_proba([Image.fromarray(large)]), atol=1e-6
    )


def bomb(side):
    """Return a picture of so many pixels a side, black, in some bytes."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (bomb(6_000), 413),
        (bomb(10_000), 413),
        (bomb(60_000), 413),
        (b"GIF89a", 422),
        (b"", 422),
        (b"%PDF-1.4", 422),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, 422),
    ],
)
def test_bombs_and_broken_pictures_are_refused(pictures, raw, status):
    answer = post(service_of({"p": pictures}), "/predict", content=raw, headers={"content-type": "image/png"})
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].startswith("the picture ")


def test_recordings_are_heard():
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    sounds = [(8000, np.sin(np.arange(1600) * f).astype(np.float32) * 0.5) for f in rng.choice([0.1, 0.3], 24)]
    model = gg.CNNClassifier(epochs=1, random_state=0).fit(sounds, [int(s[1][5] > 0.3) for s in sounds])
    raw = io.BytesIO()
    soundfile.write(raw, sounds[0][1], 8000, format="WAV", subtype="FLOAT")
    service = service_of({"s": model}, Settings(limits=Limits(samples=2000)))
    answer = post(service, "/predict", content=raw.getvalue(), headers={"content-type": "audio/wav"})
    np.testing.assert_allclose(answer.json()["probabilities"], model.predict_proba(sounds[:1]), atol=1e-5)
    long = io.BytesIO()
    soundfile.write(long, np.zeros(4000, np.float32), 8000, format="FLAC")
    assert post(service, "/predict", files={"f": ("x.flac", long.getvalue())}).status_code == 413
    assert post(service, "/predict", files={"f": ("x.wav", b"RIFF")}).status_code == 422


# what is refused


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"json": []}, 422, "no rows came"),
        ({"json": 3}, 422, "no rows came"),
        ({"json": {}}, 422, "row 0 has no column 'color'. It has nothing"),
        ({"content": b"x", "headers": {"content-type": "application/x-yaml"}}, 415, "x-yaml"),
        ({"content": b"x", "headers": {"content-type": "image/png"}}, 415, "text/csv"),
        ({"content": b"{}", "headers": {"content-encoding": "gzip"}}, 415, "packed"),
        ({"content": b"a,b\n1,2", "headers": {"content-type": "text/csv"}}, 422, "no column 'color'"),
        ({"content": b"color", "headers": {"content-type": "text/csv"}}, 422, "no row below"),
        ({"content": b'a,"b\n1,2', "headers": {"content-type": "text/csv"}}, 422, "no CSV"),
        ({"content": b"a,b\n1,2,3", "headers": {"content-type": "text/csv"}}, 422, "row 0 has 3 fields"),
        ({"content": b"," * 100_000 + b"\n1", "headers": {"content-type": "text/csv"}}, 422, "100,001 columns"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 422, "no boundary"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422, "form"),
        ({"files": [("a", b"x"), ("b", b"y")]}, 422, "2 files came"),
        ({"content": b"[" * 100_000}, 422, "deep"),
        ({"json": [{}] * 31}, 413, "31 rows came; 30 are allowed"),
        ({"content": b" " * 5001}, 413, "5001 bytes"),
    ],
)
def test_what_will_not_do_is_said(mixed, form, status, says):
    service = service_of(
        {"mixed": mixed}, Settings(limits=Limits(rows=30, body_bytes=200_000 if status == 422 else 5000))
    )
    answer = post(service, "/predict", **form)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]


def test_a_wrong_kind_in_csv_names_column_and_what_is_allowed(table_service):
    raw = frame(3).assign(weight="heavy").to_csv(index=False).encode()
    answer = post(table_service, "/predict", content=raw, headers={"content-type": "text/csv"})
    assert answer.status_code == 422
    assert answer.json()["column"] == "weight"
    assert "holds 'heavy' in row 0. Give a number" in answer.json()["error"]
    assert answer.json()["allowed"].startswith("a number")


def test_paths_and_methods(table_service):
    cases = [
        ("GET", "/predict", 405),
        ("GET", "/nothing", 404),
        ("POST", "/predict/other", 404),
        ("POST", "/predict/mixed/versions/9", 404),
        ("POST", "/predict/../../etc/passwd", 404),
        ("DELETE", "/health", 405),
        ("HEAD", "/health", 200),
        ("GET", "/health", 200),
    ]
    answers = ask(table_service, *((method, path, {}) for method, path, _ in cases))
    assert [answer.status_code for answer in answers] == [status for *_, status in cases]
    assert answers[0].headers["allow"] == "POST"
    assert answers[5].headers["allow"] == "GET, HEAD"


def test_several_models_are_asked_by_name(mixed, numbers):
    service = service_of({"a": mixed, "b": [numbers, numbers]})
    assert "several models" in post(service, "/predict", json={}).json()["error"]
    assert post(service, "/predict/b", json=[[1, 2, 3]]).json()["version"] == "2"
    assert post(service, "/predict/b/versions/1", json=[[1, 2, 3]]).json()["version"] == "1"
    health = get(service, "/health").json()
    assert [(each["name"], each["version"]) for each in health["models"]] == [("a", "1"), ("b", "1"), ("b", "2")]


def test_names_are_checked():
    for name in ("", "a/b", "..", "é"):
        with pytest.raises(InvalidParameter, match="cannot be called"):
            service_of({name: "x.ganglion"})
    with pytest.raises(InvalidParameter, match="no model was given"):
        service_of([])


def test_what_is_not_served_is_said():
    series = gg.LanguageModel(steps=2, random_state=0).fit(["some text to learn from, again and again. " * 30])
    with pytest.raises(InvalidModel, match=r"language_modelling of text\) is not served"):
        service_of({"l": series})
    with pytest.raises(InvalidModel, match="there is no model file"):
        service_of("nowhere.ganglion")


def test_metrics_count_what_was_asked(table_service):
    rows = rows_of(frame(3))
    ask(table_service, ("POST", "/predict", {"json": rows}), ("POST", "/predict", {"json": {}}))
    answer = get(table_service, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'ganglion_requests_total{route="/predict",status="200"} 1' in lines
    assert 'ganglion_requests_total{route="/predict",status="422"} 1' in lines
    assert 'ganglion_request_seconds_count{route="/predict"} 2' in lines
    assert any(line.startswith('ganglion_rows_total{model="mixed",version="1"} ') for line in lines)
