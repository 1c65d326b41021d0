"""The command as a process of its own: signals, pipes, help without torch, the doctor."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ganglion as gg
from ganglion.cli import doctor

from .conftest import table, write

PYTHON = [sys.executable, "-m", "ganglion"]
ENVIRONMENT = os.environ | {"COLUMNS": "80", "OMP_NUM_THREADS": "1"}


def run(*words, **options):
    ran = subprocess.run([*PYTHON, *map(str, words)], capture_output=True, text=True, env=ENVIRONMENT, **options)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


def test_version():
    ran = run("--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"ganglion {gg.__version__}\n", "")


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys, time; t = time.perf_counter(); sys.argv = ['ganglion', '--help']\n"
        "from ganglion.cli.main import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "print(time.perf_counter() - t, *({'torch', 'sklearn', 'pandas', 'numpy', 'rich.console'} & {*sys.modules}))"
    )
    for _ in range(3):  # the machine may be busy
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
        *_, last = ran.stdout.splitlines()
        seconds, *heavy = last.split()
        assert not heavy
        if float(seconds) < 0.3:
            break
    else:
        pytest.fail(f"help took {seconds} s")
    assert "Usage: ganglion [OPTIONS] COMMAND [ARGS]..." in ran.stdout


@pytest.mark.parametrize("command", ["inspect", "train", "evaluate", "predict", "list", "doctor"])
def test_help_of_a_command(command):
    ran = run(command, "--help")
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"Usage: ganglion {command}")
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert not {"<bool>", "<float>", "<int>"} & set(ran.stdout.split())  # typer's names of types


def test_no_command():
    ran = run()
    assert ran.returncode == 2
    assert "Commands:" in ran.stdout + ran.stderr


def test_unknown_command():
    ran = run("trian")
    assert ran.returncode == 2
    assert "No such command 'trian'. Did you mean 'train'?" in ran.stderr


def test_ctrl_c_keeps_the_best_model_so_far(tmp_path):
    data = write(tmp_path / "people.csv", table(2000))
    words = ["train", str(data), "-t", "rich", "-s", "epochs=100000", "-s", "patience=none", "-o", "m"]
    process = subprocess.Popen(
        [*PYTHON, *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    said = ""
    while "epoch 1/" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert "interrupted: the best model so far is in m; it was not tested." in err
    assert "Traceback" not in err
    model = gg.load(tmp_path / "m")
    assert model.history_.stopped == "interrupted"
    assert len(model.predict(gg.read(data, target="rich").X_y()[0])) == 2000


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc to see how far a process is")
def test_ctrl_c_before_training(tmp_path):
    """Nothing was trained, so nothing is saved; no traceback either."""
    data = write(tmp_path / "people.csv", table(20_000))
    process = subprocess.Popen(
        [*PYTHON, "train", str(data), "-t", "rich"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    while "libtorch" not in Path(f"/proc/{process.pid}/maps").read_text():  # Python is up, and still importing
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (1, 130)
    assert "Traceback" not in err
    assert not (tmp_path / "model.ganglion").exists()


def test_head_of_predictions(tmp_path, saved):
    """`ganglion predict … | head -1` ends without a word."""
    model, _ = saved
    data = write(tmp_path / "many.csv", table(20_000))
    command = f"{sys.executable} -m ganglion predict {model} {data} | head -1"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=ENVIRONMENT)
    assert ran.stdout == "prediction,p_<=50K,p_>50K\n"
    assert ran.stderr == ""


@pytest.fixture
def broken(tmp_path):
    """A package that fails when it is imported stands before the real one."""
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow" / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')\n")
    return ENVIRONMENT | {"PYTHONPATH": str(tmp_path)}


def test_doctor_names_the_culprit(broken, ganglion, monkeypatch):
    monkeypatch.setattr(os, "environ", broken)
    monkeypatch.setattr(doctor, "CORE", ("torch",))
    monkeypatch.setattr(doctor, "EXTRAS", {"pyarrow": "tables"})
    ran = ganglion("doctor")
    assert ran.code == 1
    line = next(line for line in ran.out.splitlines() if line.startswith("pyarrow"))
    assert line.split()[1] == "broken"
    assert "RuntimeError: operator nms does not exist" in line
    assert next(line for line in ran.out.splitlines() if line.startswith("torch")).split()[1] == "works"


def test_doctor_json(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CORE", ("rich", "typer"))
    monkeypatch.setattr(doctor, "EXTRAS", {"no_such_package_here": "tables"})
    doctor.examine(as_json=True)
    found = {each["package"]: each for each in json.loads(capsys.readouterr().out)["packages"]}
    assert found["rich"]["state"] == "works"
    assert found["rich"]["detail"][0].isdigit()
    assert found["no_such_package_here"]["state"] == "missing"
    assert found["no_such_package_here"]["detail"] == 'pip install "ganglion[tables]"'
