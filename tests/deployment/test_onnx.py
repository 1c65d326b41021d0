"""Exported graphs: the answers of the original, for every algorithm that can leave; the others say why they cannot."""

import json
import os
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import soundfile
from PIL import Image
from tests.serving.asking import post
from torch import nn

import ganglion as gg
from ganglion.checks.data import every_data_for, tones
from ganglion.data.vocabulary import SPECIAL
from ganglion.deployment import onnx_export
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.pictures import pixels_of
from ganglion.deployment.recipes import config_pbtxt
from ganglion.deployment.serving.server import service_of
from ganglion.deployment.signature import Input, Output, Signature
from ganglion.deployment.table_file import read_rows
from ganglion.errors import ExportRefused, GanglionWarning, InvalidFile, InvalidInput, InvalidModel, InvalidParameter
from ganglion.registry import all_algorithms

PICTURE = {"content-type": "application/octet-stream"}
ANSWERING = ("classification", "regression")
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def is_tried(cls, place, X):
    """Every classifier on every kind of data, and each regressor on one; the others in thorough runs alone.

    Recordings, whose graphs take seconds each, become the same spectrograms for all: see `test_samples_go_in`.
    """
    if THOROUGH or place == 0:
        return True
    return cls.tags.task == "classification" and not isinstance(X[0], tuple)


CASES = [
    pytest.param(cls, place, id=f"{name}-{place}")
    for name, cls in all_algorithms().items()
    if cls.tags.task in ANSWERING
    for place, (X, _) in enumerate(every_data_for(cls()))
    if is_tried(cls, place, X)
]


def small(cls, **options):
    names = cls.__dataclass_fields__
    few = {"epochs": 2, "random_state": 0, "pretraining_epochs": 1, "hidden": (8,), "maps": 4, "layers": 1, "width": 8}
    few |= {"heads": 2, "embedding": 8} | ({"channels": (4,)} if cls.tags.task in ANSWERING else {})
    return cls(**{k: v for k, v in (few | options).items() if k in names})


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GanglionWarning)
        return model.fit(X, y)


@pytest.mark.parametrize(("cls", "place"), CASES)
def test_an_exported_model_answers_as_the_original(cls, place, tmp_path):
    X, y = every_data_for(cls())[place]
    model = fitted(small(cls), X, y)
    exported = gg.export(model, tmp_path / "model.onnx", rows=X)
    assert exported.parity.holds
    alone = OnnxModel.load(tmp_path / "model.onnx")
    for some in (X[:1], X[:3], X):
        own, said = model.predict(some), alone.predict(some)
        assert own.shape == said.shape
        if cls.tags.task == "classification":
            assert (own == said).all()
        else:
            np.testing.assert_allclose(said, own, atol=1e-5 * model.target_.deviation.max())
        if hasattr(model, "predict_proba"):
            np.testing.assert_allclose(alone.predict_proba(some), model.predict_proba(some), atol=1e-5)


def people(n=150):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "label": rng.choice(["x", "y", "z"], n),
            "member": rng.random(n) > 0.5,
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 1000, n), unit="D"),
            "home town": rng.choice(["Bonn", "Köln, am Rhein", '"quoted"'], n),
        }
    )
    y = np.where(frame.age + 10 * (frame.label == "x") > 42, "old", "young")
    frame.loc[3, "age"], frame.loc[4, "label"] = np.nan, None
    return frame, y


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    frame, y = people()
    model = gg.MLPClassifier(hidden=(8,), epochs=5, random_state=0).fit(frame, y)
    path = tmp_path_factory.mktemp("table") / "people.onnx"
    gg.export(model, path)
    return model, frame, path


def test_raw_columns_go_in_and_labels_come_out(table):
    model, frame, path = table
    session = onnxruntime.InferenceSession(path)
    kinds = {each.name: each.type for each in session.get_inputs()}
    assert kinds == {
        "age": "tensor(double)",
        "label": "tensor(string)",
        "member": "tensor(double)",
        "since": "tensor(double)",
        "home town": "tensor(string)",
    }
    assert [each.name for each in session.get_outputs()] == ["label_", "probabilities"]  # a column is called "label"
    feeds = {
        "age": frame[["age"]].to_numpy(),
        "label": frame[["label"]].fillna("").to_numpy(object),
        "member": frame[["member"]].to_numpy(float),
        "since": frame[["since"]].to_numpy().astype("datetime64[s]").astype(float),
        "home town": frame[["home town"]].to_numpy(object),
    }
    labels, shares = session.run(None, feeds)
    assert labels.tolist() == model.predict(frame).tolist()
    np.testing.assert_allclose(shares, model.predict_proba(frame), atol=1e-5)


def test_values_as_users_have_them(table):
    model, _, path = table
    alone = OnnxModel.load(path)
    texts = {"age": ["39.5", "?", ""], "label": ["x", "nie", None], "member": ["true", "False", "NA"]}
    texts |= {"since": ["2024-02-29", "2025-01-01", ""], "home town": ["Bonn", " Bonn ", "Berlin"]}
    frame = pd.DataFrame(
        {
            "age": [39.5, np.nan, np.nan],
            "label": ["x", "nie", None],
            "member": pd.array([True, False, None], dtype="boolean"),
            "since": pd.to_datetime(["2024-02-29", "2025-01-01", None]),
            "home town": ["Bonn", "Bonn", "Berlin"],
        }
    )
    np.testing.assert_allclose(alone.predict_proba(texts), model.predict_proba(frame), atol=1e-5)
    np.testing.assert_allclose(alone.predict_proba(frame), model.predict_proba(frame), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"age": ["a lot"]}, "'age' .numeric. holds 'a lot' in row 0. Give a number"),
        ({"age": [np.inf]}, "'age'.*infinity in row 0"),
        ({"member": ["perhaps"]}, "'member'.*'perhaps'.*true, false, 1 or 0"),
        ({"since": ["yesterday"]}, "'since'.*'yesterday'.*a date such as"),
        ({"age": [1.0, 2.0]}, "equal length"),
        ({"age": []}, "equal length"),
        ({"age": None}, "'age' is missing"),
    ],
)
def test_unsuited_values_are_named(table, changed, message):
    _, frame, path = table
    columns = {name: frame[name].head(1).tolist() for name in frame} | changed
    columns = {name: values for name, values in columns.items() if values is not None}
    with pytest.raises(InvalidInput, match=message):
        OnnxModel.load(path).run(columns)


def test_the_file_says_what_it_is(table):
    _, _, path = table
    proto = onnx.load(path)
    props = {each.key: each.value for each in proto.metadata_props}
    signature = json.loads(props["ganglion_signature"])
    assert signature["classes"] == ["old", "young"]
    assert [each["kind"] for each in signature["inputs"]] == [
        "numeric",
        "categorical",
        "boolean",
        "date",
        "categorical",
    ]
    assert set(signature["inputs"][1]["categories"]) == {"x", "y", "z"}
    low, high = signature["inputs"][0]["typical"]
    assert 10 < low < 40 < high < 70
    assert props["ganglion_card"].startswith("# MLPClassifier")
    assert props["ganglion_version"] == gg.__version__
    assert proto.producer_name == "ganglion"
    assert OnnxModel.load(path).signature == OnnxModel(path.read_bytes()).signature


def predicted_without_torch(path, rows):
    """Return the lines that `ganglion predict` says where there is no torch."""
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(name, path, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'sklearn'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Absent)\n"
        f"sys.argv = ['ganglion', 'predict', {str(path)!r}, {str(rows)!r}]\n"
        "from ganglion.cli.main import run\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_predicts_without_torch(table, tmp_path):
    model, frame, path = table
    frame.to_csv(tmp_path / "rows.csv", index=False)
    lines = predicted_without_torch(path, tmp_path / "rows.csv")
    assert lines[0] == "prediction,p_old,p_young"
    assert [line.split(",")[0] for line in lines[1:]] == model.predict(frame).tolist()


def test_a_network_that_answers_otherwise_does_not_leave(tmp_path, monkeypatch):
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = gg.MLPClassifier(hidden=(8,), epochs=2, random_state=0).fit(X, X[:, 0] > 0)
    original = onnx_export.network_of

    def spoiled(*args):
        network = original(*args)
        next(module for module in network.body.modules() if isinstance(module, nn.Linear)).bias += 1.0
        return network

    monkeypatch.setattr(onnx_export, "network_of", spoiled)
    monkeypatch.setattr("ganglion.deployment.differing.network_of", spoiled)
    with pytest.raises(ExportRefused, match=r"other answers, by up to 0\..*differ in body\.0 \(DenseLayer\)"):
        gg.export(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


class Frozen(nn.Module):
    """A layer that no graph of any number of rows can hold."""

    def forward(self, x):
        return x + len(x)


def test_a_layer_that_cannot_be_traced_is_named(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = gg.MLPClassifier(hidden=(8,), epochs=2, random_state=0).fit(X, X[:, 0] > 0)
    model.network_.body.append(Frozen())
    with pytest.raises(ExportRefused, match=r"body\.2 \(Frozen\) has no form in ONNX"):
        gg.export(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
def test_any_number_of_steps(cell, tmp_path):
    rng = np.random.default_rng(0)
    walks = [rng.normal(size=(length, 2)) for length in rng.integers(2, 9, 60)]
    model = gg.RNNRegressor(cell=cell, width=8, layers=2, bidirectional=True, packing=True, epochs=2, random_state=0)
    model.fit(walks, [walk.sum() for walk in walks])
    gg.export(model, tmp_path / "model.onnx")
    longer = [rng.normal(size=(length, 2)) for length in (1, 50, 7, 111)]
    np.testing.assert_allclose(
        OnnxModel.load(tmp_path / "model.onnx").predict(longer), model.predict(longer), atol=1e-4
    )


SPOKEN = "log_mel(floor=30, emphasis=0.97, trim=35, steps=32)"


@pytest.fixture(scope="module", params=["log_mel", SPOKEN], ids=["whole", "words"])
def hearing(request, tmp_path_factory):
    model = gg.CNNClassifier(channels=(4,), hidden=(8,), spectrogram=request.param, epochs=2, random_state=0)
    X, y = tones(model, n=20)
    path = tmp_path_factory.mktemp("hearing") / "tones.onnx"
    gg.export(fitted(model, X, y), path)
    return model, X, path


@pytest.mark.filterwarnings("ignore:.* silent")
def test_samples_go_in(hearing):
    model, X, path = hearing
    session = onnxruntime.InferenceSession(path)
    assert {each.name: each.type for each in session.get_inputs()} == {
        "audio": "tensor(float)",
        "audio_length": "tensor(int64)",
    }
    long, short, single = X[0][1] / 2**15, np.linspace(-1, 1, 50), np.ones(1)
    audio = np.full((3, len(long)), np.float32(7))  # what stands behind the end is nobody's
    for row, each in zip(audio, (long, short, single), strict=True):
        row[: len(each)] = each
    lengths = np.array([len(long), 50, 1])
    labels, shares = session.run(None, {"audio": audio, "audio_length": lengths})
    given = [(4000, row[:n]) for row, n in zip(audio, lengths, strict=True)]
    assert labels.tolist() == model.predict(given).tolist()
    np.testing.assert_allclose(shares, model.predict_proba(given), atol=1e-5)


def test_recordings_as_users_have_them(hearing):
    model, X, path = hearing
    alone = OnnxModel.load(path)
    (input_, _), sound = alone.signature.inputs, X[0][1]
    assert input_.rate == 4000
    given = [
        (4000, sound),
        (8000, sound),
        (4000, np.stack([sound, -sound // 2], 1)),
        (4000, (sound / 2**15).astype(np.float32)),
        (4000, (sound // 256 + 128).astype(np.uint8)),
    ]
    np.testing.assert_allclose(alone.predict_proba(given), model.predict_proba(given), atol=1e-5)
    with pytest.raises(InvalidInput, match=r"recording 1 is a ndarray.*pairs \(rate, samples\), such as \(4000"):
        alone.predict([given[0], sound])
    with pytest.raises(InvalidInput, match="recording 0 holds NaN"):
        alone.predict([(4000, np.array([0.0, np.nan]))])


def test_recordings_are_predicted_without_torch(hearing, tmp_path):
    model, X, path = hearing
    folder = tmp_path / "said"
    folder.mkdir()
    for i, (rate, samples) in enumerate(X[:4]):
        soundfile.write(folder / f"{i}.wav", samples, rate if i else 2 * rate, subtype="PCM_16")
    lines = predicted_without_torch(path, folder)
    files = sorted(folder.iterdir())
    assert lines[0] == "prediction,p_a,p_b,p_c"
    assert [line.split(",")[0] for line in lines[1:]] == model.predict(files).tolist()
    shares = np.array([line.split(",")[1:] for line in lines[1:]], dtype=float)
    np.testing.assert_allclose(shares, model.predict_proba(files), atol=1e-5)
    with zipfile.ZipFile(tmp_path / "said.zip", "w") as archive:
        for file in files:
            archive.write(file, file.name)
    alone = OnnxModel.load(path)
    # a file at another rate is brought to that of training after it was read whole
    zipped = alone.predict_proba(read_rows(tmp_path / "said.zip", alone.signature))
    np.testing.assert_allclose(zipped, shares, atol=1e-3)
    (folder / "4.wav").write_bytes(b"RIFF")
    with pytest.raises(InvalidFile, match=r"4\.wav is no recording that can be read"):
        alone.predict(sorted(folder.iterdir()))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidFile, match="there is no recording in"):
        read_rows(tmp_path / "empty", alone.signature)


@pytest.fixture(scope="module", params=["stretch", "crop", "pad"])
def seeing(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeing")
    rng = np.random.default_rng(0)
    for i, sides in enumerate([(9, 7), (30, 22), (9, 40), (64, 80)]):
        (folder / "drawn").mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (*sides, 3), dtype=np.uint8)
        Image.fromarray(pixels if i else pixels[..., 0]).save(folder / "drawn" / f"{i}.{'jpg' if i == 3 else 'png'}")
    model = gg.CNNClassifier(channels=(4,), hidden=(8,), epochs=1, random_state=0)
    data = gg.read(folder / "drawn", size=(9, 8), resize=request.param, channels=3)
    fitted(model, data, np.arange(4) % 2)
    gg.export(model, folder / "pictures.onnx")
    return model, sorted((folder / "drawn").iterdir()), folder / "pictures.onnx"


def test_pictures_of_any_size(seeing):
    model, files, path = seeing
    alone = OnnxModel.load(path)
    arrays = [np.asarray(Image.open(file)) for file in files]
    for given in (files, arrays, [Image.open(file) for file in files], files[2:3], arrays[2:3]):
        np.testing.assert_allclose(alone.predict_proba(given), model.predict_proba(given), atol=1e-5)
    lines = predicted_without_torch(path, files[0].parent)
    np.testing.assert_allclose(
        np.array([line.split(",")[1:] for line in lines[1:]], dtype=float), model.predict_proba(files), atol=1e-5
    )
    with pytest.raises(InvalidFile, match=r"there is no file none\.png"):
        alone.predict(["none.png"])


def test_pixels_of_any_size_go_in(seeing):
    model, files, path = seeing
    session = onnxruntime.InferenceSession(path)
    (image,) = session.get_inputs()
    assert (image.type, image.shape) == ("tensor(uint8)", ["N", "H", "W", 3])
    alone = OnnxModel.load(path)
    assert alone.signature.inputs[0].sides == (9, 8)
    for file in files:
        pixels = np.asarray(Image.open(file).convert("RGB"))[None]
        labels, shares = session.run(None, {"image": pixels})
        np.testing.assert_allclose(shares, model.predict_proba([file]), atol=1e-5)
        assert labels.tolist() == model.predict([file]).tolist() == alone.predict(pixels).tolist()
    with pytest.raises(InvalidInput, match=r"any height and width and 3 channel\(s\).*\(N, H, W, 3\)"):
        alone.predict(np.zeros((2, 8, 8, 2), dtype=np.uint8))


def test_served_pictures_are_brought_to_size_as_in_training(seeing):
    model, files, path = seeing
    service = service_of(str(path))
    said = [post(service, "/predict", content=file.read_bytes(), headers=PICTURE).json() for file in files]
    shares = [each["probabilities"][0] for each in said]
    np.testing.assert_allclose(shares, model.predict_proba(files), atol=1e-5)


def test_triton_is_told_that_pictures_have_any_size(seeing):
    _, _, path = seeing
    config = config_pbtxt(OnnxModel.load(path).signature)
    assert 'name: "image"\n    data_type: TYPE_UINT8\n    dims: [ -1, -1, 3 ]\n' in config


def test_files_of_one_size_alone_are_still_read():
    told = {"name": "image", "kind": "image", "dtype": "uint8", "shape": ["N", 9, 8, 3], "categories": [], "rate": 0}
    given = {"name": "label", "role": "label", "dtype": "int64", "shape": ["N"]}
    old = {"format": 2, "estimator": "CNNClassifier", "task": "classification", "modality": "image", "target": ""}
    signature = Signature.from_json(json.dumps(old | {"inputs": [told], "outputs": [given], "resize": "pad"}))
    assert signature.inputs[0].sides == (9, 8)
    pictures = [np.zeros((20, 30, 3), np.uint8), np.ones((5, 5), np.uint8)]
    assert pixels_of(signature, pictures).shape == (2, 9, 8, 3)
    told["size"] = [0, 8]
    with pytest.raises(InvalidModel, match="the input 'image'"):
        Signature.from_json(json.dumps(old | {"inputs": [told], "outputs": [given]}))


@pytest.mark.parametrize("labels", [[3, 5, 9], [1.0, 2.0, 7.0], [True, False, True], ["ä", "b", ""]])
def test_labels_keep_their_type(labels, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3))
    y = np.array(labels)[np.arange(60) % 3]
    model = gg.Perceptron(random_state=0).fit(X, y)
    gg.export(model, tmp_path / "model.onnx")
    said = OnnxModel.load(tmp_path / "model.onnx").predict(X)
    assert said.tolist() == model.predict(X).tolist()
    assert said.dtype.kind == y.dtype.kind


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_every_scaling(scaling, tmp_path):
    frame, y = people()
    frame = frame.drop(columns="since")  # the last bit of a sine decides on which side of a quantile it stands
    model = gg.MLPClassifier(hidden=(8,), epochs=2, scaling=scaling, random_state=0).fit(frame, y)
    assert gg.export(model, tmp_path / "model.onnx", rows=frame).parity.holds


def test_rounded_answers_are_refused_and_the_remedy_works(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = gg.MLPClassifier(hidden=(8,), epochs=2, precision="bfloat16", random_state=0).fit(X, X[:, 0] > 0)
    with pytest.raises(ExportRefused, match="bfloat16"):
        gg.export(model, tmp_path / "model.onnx")
    assert gg.export(model.set_params(precision="float32"), tmp_path / "model.onnx").parity.holds


def test_what_is_no_model_and_no_format(tmp_path):
    with pytest.raises(InvalidParameter, match=r"'\.pdf'.*\.onnx"):
        gg.export(object(), tmp_path / "model.pdf")
    with pytest.raises(InvalidInput, match="fitted estimator, but a object"):
        gg.export(object(), tmp_path / "model.onnx")
    with pytest.raises(ValueError, match="not fitted"):
        gg.export(gg.MLPClassifier(), tmp_path / "model.onnx")


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    with pytest.raises(InvalidModel, match="no ONNX file"):
        OnnxModel.load(tmp_path / "no.onnx")
    with pytest.raises(InvalidModel, match="there is no model file"):
        OnnxModel.load(tmp_path / "none.onnx")
    number = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    same = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "foreign", [number], [same])
    opset = [onnx.helper.make_opsetid("", 20)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "foreign.onnx")
    with pytest.raises(InvalidModel, match="without Ganglion's signature"):
        OnnxModel.load(tmp_path / "foreign.onnx")


@pytest.mark.parametrize("vocabulary", [["good", "bad"], [*SPECIAL, "good", "good"], 7, None])
def test_a_damaged_vocabulary_is_told_when_the_signature_is_read(vocabulary):
    taken = Input("tokens", "tokens", "int64", ("N", "T")), Input("tokens_length", "length", "int64", ("N",))
    said = (Output("label", "label", "string", ("N",)),)
    stored = {"tokenizer": "words", "vocabulary": [*SPECIAL, "good", "bad"], "lowercase": True}
    whole = Signature(
        estimator="RNNClassifier",
        task="classification",
        modality="text",
        target="",
        inputs=taken,
        outputs=said,
        tokenizer=stored,
    )
    assert Signature.from_json(whole.to_json()).cutter.ids(["bad good"])[0].tolist() == [len(SPECIAL) + 1, len(SPECIAL)]
    damaged = json.loads(whole.to_json())
    damaged["tokenizer"]["vocabulary"] = vocabulary
    with pytest.raises(InvalidModel):
        Signature.from_json(json.dumps(damaged))
