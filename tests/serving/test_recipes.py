"""Folders for a container and for Triton: whole, in form, and of the types that the graph has."""

import configparser
import re
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from tests.serving.asking import frame

import ganglion as gg

_TRITON = {1: "FP32", 2: "UINT8", 7: "INT64", 8: "STRING", 9: "BOOL", 11: "FP64"}  # by onnx's own numbers


@pytest.fixture(scope="module")
def folders(mixed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    return {kind: (gg.export(mixed, folder / kind), folder / kind) for kind in ("container", "triton")}


def test_a_container_has_all_that_its_file_copies(folders, mixed):
    exported, folder = folders["container"]
    assert exported.format == "container"
    text = (folder / "Containerfile").read_text()
    for name in re.findall(r"^COPY (\S+)", text, re.MULTILINE):
        assert (folder / name).exists()
    assert "USER 10001" in text
    assert f"=={gg.__version__}" in text
    served = gg.OnnxModel.load(folder / "model.onnx")
    table = frame(5)
    assert served.predict(table).tolist() == mixed.predict(table).tolist()


def test_the_unit_is_one_of_systemd(folders):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(folders["container"][1] / "model.service")
    assert unit.sections() == ["Unit", "Service", "Install"]
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert "--host 127.0.0.1" in unit["Service"]["ExecStart"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_no_fault_with_the_unit(folders, tmp_path):
    text = (folders["container"][1] / "model.service").read_text()
    unit = tmp_path / "model.service"
    unit.write_text(text.replace("/opt/ganglion/bin/ganglion", sys.executable))  # which must be there
    said = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


def test_the_configuration_of_triton_names_the_tensors_of_the_graph(folders):
    _, folder = folders["triton"]
    config = (folder / "model" / "config.pbtxt").read_text()
    assert config.count("[") == config.count("]")
    assert config.count("{") == config.count("}")
    graph = onnx.load(folder / "model" / "1" / "model.onnx").graph
    for part, tensors in (("input", graph.input), ("output", graph.output)):
        block = re.search(rf"^{part} \[\n(.*?)\n\]", config, re.MULTILINE | re.DOTALL)[1]
        found = re.findall(r'name: "(.*?)"\s+data_type: TYPE_(\w+)\s+dims: \[ (.*?) \](\s+reshape)?', block)
        expected = []
        for tensor in tensors:
            kind = tensor.type.tensor_type
            rest = [size.dim_value or -1 for size in kind.shape.dim][1:]
            expected.append((tensor.name, _TRITON[kind.elem_type], ", ".join(map(str, rest or [1])), not rest))
        assert [(name, kind, dims, bool(flat)) for name, kind, dims, flat in found] == expected


def test_names_are_quoted():
    X = {'a"b': np.arange(60.0) % 11, "c\\": np.arange(60.0) % 7}
    model = gg.MLPRegressor(hidden=(2,), epochs=1, random_state=0).fit(X, np.arange(60.0) * 1.5 + X["c\\"])
    from ganglion.deployment.describing import signature_of
    from ganglion.deployment.recipes import config_pbtxt

    config = config_pbtxt(signature_of(model))
    assert 'name: "a\\"b"' in config
    assert 'name: "c\\\\"' in config
