"""Model files that are damaged, foreign, hostile or too new: each is refused with what it is and what to do."""

import io
import json
import pickle
import sys
import zipfile

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import InvalidModel, UnsupportedType

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.ganglion"
    gg.MLPClassifier(hidden=(4,), epochs=2, random_state=0).fit(X, Y).save(path)
    return path.read_bytes()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "m.ganglion"


def entries(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents, compression=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return stream.getvalue()


def with_manifest(raw, **changes):
    contents = entries(raw)
    manifest = json.loads(contents["manifest.json"]) | changes
    return packed(contents | {"manifest.json": json.dumps(manifest)})


def refused(path, raw, message):
    path.write_bytes(raw)
    with pytest.raises(InvalidModel, match=message) as caught:
        gg.load(path)
    assert str(path) in str(caught.value)


def test_whole_file_loads(whole, file):
    file.write_bytes(whole)
    assert gg.load(file).predict(X).shape == (40,)


def test_missing_file(tmp_path):
    with pytest.raises(InvalidModel, match=r"no model file .*none\.ganglion.*current folder"):
        gg.load(tmp_path / "none.ganglion")


def test_folder(tmp_path):
    with pytest.raises(InvalidModel, match=r"is a folder, not a model file\. Give the file that `save` wrote"):
        gg.load(tmp_path)


@pytest.mark.parametrize("path", [None, 3, ""])
def test_no_path(path):
    with pytest.raises(UnsupportedType, match=r"path of a file is a text or a pathlib\.Path, but .* was given"):
        gg.load(path)


def test_empty_file(file):
    refused(file, b"", r"is empty \(0 bytes\)\. Copy it again")


def test_text_file(file):
    refused(file, b"age,job\n1,2\n", r"begins with b'age,job.*Give the file that `save` or `ganglion train` wrote")


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_pickle(file, protocol):
    file.write_bytes(pickle.dumps({"a": 1}, protocol=protocol))
    with pytest.raises(InvalidModel, match=r"pickle, which could run any program|no Ganglion model file"):
        gg.load(file)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_short(whole, file, share):
    refused(file, whole[: int(len(whole) * share)], r"no whole Ganglion model file: .*Copy it again")


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_bit_flipped(whole, file, name):
    place = whole.index(entries(whole)[name]) + 400
    flipped = whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]
    refused(file, flipped, r"no whole Ganglion model file: Bad CRC-32.*Copy it again")


def test_other_weights(whole, file):
    contents = entries(whole)
    swapped = contents | {"weights.safetensors": contents["weights.safetensors"][:-1] + b"\1"}
    refused(file, packed(swapped), "its weights do not match their checksum")


def test_newer_version(whole, file):
    refused(
        file,
        with_manifest(whole, format=7, ganglion="9.1.0"),
        r"has format 7, but this version of Ganglion reads up to 1.*by Ganglion 9\.1\.0: install that version",
    )


@pytest.mark.parametrize("found", [0, -1])
def test_version_that_never_was(whole, file, found):
    refused(file, with_manifest(whole, format=found), f"format {found} never was")


@pytest.mark.parametrize("found", [None, "1", 1.0, True])
def test_no_version(whole, file, found):
    refused(file, with_manifest(whole, format=found), "its manifest names no format")


def test_zip_bomb(whole, file):
    bomb = packed(entries(whole) | {"weights.safetensors": bytes(200 * 2**20)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**20
    refused(file, bomb, "is compressed or encrypted, which no Ganglion model is; it is not unpacked")


def test_many_entries_on_the_same_bytes(whole, file):
    """A directory that points a thousand times to one entry would be read a thousand times."""
    end = whole.rindex(b"PK\5\6")
    start = int.from_bytes(whole[end + 16 : end + 20], "little")
    directory = whole[start:end] * 1000
    tail = bytearray(whole[end:])
    tail[8:10] = tail[10:12] = (3000).to_bytes(2, "little")
    tail[12:16] = len(directory).to_bytes(4, "little")
    refused(file, whole[:start] + directory + bytes(tail), "an entry stands in it twice")


@pytest.mark.parametrize("name", ["../../evil.py", "/etc/passwd", "data.pkl", "manifest.json/../x"])
def test_path_that_escapes(whole, file, name, tmp_path):
    before = sorted(tmp_path.parent.rglob("*"))
    refused(file, packed(entries(whole) | {name: b"x"}), r"it holds '.*', which is not opened")
    assert sorted(tmp_path.parent.rglob("*")) == sorted([*before, file])


def test_pickle_in_a_zip(file):
    """What `torch.save` writes."""
    refused(file, packed({"archive/data.pkl": pickle.dumps(print)}), r"no Ganglion model: it holds 'archive/data\.pkl'")


def test_other_zip(file):
    refused(file, packed({"readme.txt": b"hello"}), r"is a zip, but no Ganglion model: it holds 'readme\.txt'")


def test_empty_zip(file):
    refused(file, packed({}), r"it has no manifest\.json and no weights\.safetensors")


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_entry_missing(whole, file, name):
    refused(file, packed({k: v for k, v in entries(whole).items() if k != name}), f"it has no {name}")


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"9" * 9_000])
def test_manifest_is_no_json(whole, file, text):
    refused(
        file, packed(entries(whole) | {"manifest.json": text}), "its manifest is no JSON|its manifest names no format"
    )


@pytest.mark.parametrize("text", [b"[]", b"null", b'"x"', b"1"])
def test_manifest_is_no_object(whole, file, text):
    refused(file, packed(entries(whole) | {"manifest.json": text}), "its manifest names no format")


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "ganglion.storage.Path", "__class__", "", "MLP"])
def test_class_that_is_in_no_registry(whole, file, name, monkeypatch):
    monkeypatch.setattr(sys.modules["os"], "system", pytest.fail)
    refused(file, with_manifest(whole, estimator=name), "its manifest is damaged .*no algorithm is called")


@pytest.mark.parametrize("field", ["estimator", "options", "encoder", "target", "n_features", "history", "dtype"])
def test_manifest_without_a_field(whole, file, field):
    contents = entries(whole)
    manifest = json.loads(contents["manifest.json"])
    del manifest[field]
    refused(file, packed(contents | {"manifest.json": json.dumps(manifest)}), f"its manifest is damaged .*{field}")


def test_sizes_that_lie(whole, file):
    """The directory claims that the weights have 4 GB."""
    place = whole.rindex(b"weights.safetensors") - 46
    lied = bytearray(whole)
    lied[place + 20 : place + 28] = b"\xf0\xff\xff\xff" * 2
    refused(file, bytes(lied), r"weights\.safetensors claims 4,294,967,280 bytes of a file of")


@pytest.mark.parametrize("hidden", [[10**9, 10**9], [2**40] * 2, [3] * 10**6, [2**62]])
def test_huge_network_takes_no_memory(whole, file, hidden):
    options = json.loads(entries(whole)["manifest.json"])["options"] | {"hidden": hidden}
    refused(file, with_manifest(whole, options=options), "manifest|weights")


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ({"fields": []}, "no columns"),
        ({"missing": [10**9]}, "missing columns"),
        ({"modality": "sound"}, "modality 'sound'"),
        ({"fields": [{"name": "x", "kind": "numeric", "shape": [2**30], "categories": []}]}, "n_features is 3, but"),
        ({"fields": [{"name": "x", "kind": "numeric", "shape": [-1], "categories": []}]}, "shape"),
        ({"modality": "image", "shape": [2**30] * 3, "any_size": False, "resize": "pad"}, "larger than|n_features"),
    ],
)
def test_encoder_that_lies(whole, file, encoder, message):
    stored = json.loads(entries(whole)["manifest.json"])["encoder"]
    refused(file, with_manifest(whole, encoder=stored | encoder), message)


@pytest.mark.parametrize(
    "target", [{"classes": [1, 0]}, {"classes": [0, 0]}, {"classes": ["a", 1]}, {"dtype": "object"}]
)
def test_target_that_lies(whole, file, target):
    stored = json.loads(entries(whole)["manifest.json"])["target"]
    refused(file, with_manifest(whole, target=stored | target), "description of its target is damaged")


def test_one_class_more_than_weights(whole, file):
    stored = json.loads(entries(whole)["manifest.json"])["target"]
    refused(file, with_manifest(whole, target=stored | {"classes": [0, 1, 2]}), "weights .* but the manifest describes")


def test_option_out_of_range(whole, file):
    options = json.loads(entries(whole)["manifest.json"])["options"]
    refused(file, with_manifest(whole, options=options | {"dropout": 7}), "manifest is damaged .*dropout is a number")


def test_text_of_an_optimizer_is_not_executed(whole, file, tmp_path):
    options = json.loads(entries(whole)["manifest.json"])["options"]
    text = f"__import__('pathlib').Path({str(tmp_path / 'gotcha')!r}).touch()"
    refused(file, with_manifest(whole, options=options | {"optimizer": text}), "give a name, or a name with settings")
    assert not (tmp_path / "gotcha").exists()


def test_option_of_a_newer_version_is_left_out(whole, file):
    options = json.loads(entries(whole)["manifest.json"])["options"]
    file.write_bytes(with_manifest(whole, options=options | {"invented_later": 3}))
    assert not hasattr(gg.load(file), "invented_later")


def test_device_that_is_not_here(whole, file):
    """A model that was trained on a GPU loads on a machine without."""
    options = json.loads(entries(whole)["manifest.json"])["options"]
    file.write_bytes(with_manifest(whole, options=options | {"device": "cuda:99"}))
    assert gg.load(file).device == "auto"


def test_home_folder(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "m.ganglion").write_bytes(whole)
    assert gg.load("~/m.ganglion").predict(X).shape == (40,)
