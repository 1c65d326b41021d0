"""Saving where it cannot be: what stood there before is whole, nothing is left lying about, the message says why."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import InvalidParameter, SaveFailed
from ganglion.estimators.base import NotFitted
from ganglion.storage import atomic_write, read_model, write_model

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def model():
    return gg.MLPClassifier(hidden=(4,), epochs=2, random_state=0).fit(X, Y)


def test_unfitted(tmp_path):
    with pytest.raises(NotFitted, match=r"MLPClassifier instance is not fitted yet\. Call fit\(X, y\) first"):
        gg.MLPClassifier().save(tmp_path / "m.ganglion")
    assert not list(tmp_path.iterdir())


def test_missing_folder(model, tmp_path):
    with pytest.raises(SaveFailed, match=r"could not write .*none/m\.ganglion: No such file.*Create the folder first"):
        model.save(tmp_path / "none" / "m.ganglion")


def test_folder_in_place_of_a_file(model, tmp_path):
    with pytest.raises(SaveFailed, match=r"Is a directory.*give the name of a file in it"):
        model.save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_file_in_place_of_a_folder(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveFailed, match="A part of the path is a file"):
        model.save(tmp_path / "file" / "m.ganglion")


def test_name_too_long(model, tmp_path):
    with pytest.raises(SaveFailed, match="Give a shorter name"):
        model.save(tmp_path / ("x" * 300))


def test_failure_while_writing_keeps_the_old_file(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"old")
    with pytest.raises(SaveFailed, match="untouched"), atomic_write(path) as file:  # noqa: PT012
        file.write(b"half of the new")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_interrupt_while_writing_keeps_the_old_file(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:  # noqa: PT012
        file.write(b"half of the new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


IN_A_CHILD = """
import os, resource, sys
import safetensors.torch, torch
from ganglion.errors import SaveFailed
from ganglion.storage import write_model
if sys.argv[2] == "locked" and os.geteuid() == 0:  # root may write anywhere
    os.setgid(65534)
    os.setuid(65534)
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_model(sys.argv[1], {"estimator": "x"}, {"w": torch.zeros(100_000)}, "card")
except SaveFailed as error:
    print(error)
"""


def in_a_child(path, how):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_CHILD, str(path), how], capture_output=True, text=True, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_disk_full(model, tmp_path):
    """The kernel refuses to let files grow, as a full disk does."""
    path = tmp_path / "m.ganglion"
    model.save(path)
    old = path.read_bytes()
    said = in_a_child(path, "full")
    assert "could not write" in said
    assert "What stood there before is untouched" in said
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
    assert gg.load(path).predict(X).shape == (40,)


def test_small_disk(model, tmp_path):
    """A file system of 64 KiB, where root may make one."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        path = tmp_path / "m.ganglion"
        model.save(path)
        assert "No space left on device" in in_a_child(path, "small")
        assert gg.load(path).predict(X).shape == (40,)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=False)


def test_read_only_folder():
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "locked"
        folder.mkdir()
        (folder / "m").write_bytes(b"old")
        Path(made).chmod(0o755)
        folder.chmod(0o555)
        said = in_a_child(folder / "m", "locked")
        assert "Permission denied" in said
        assert "Give a path in a folder that you may write to" in said
        assert (folder / "m").read_bytes() == b"old"


def test_class_of_the_user_is_in_no_registry(tmp_path):
    class Mine(gg.MLPClassifier):
        pass

    with pytest.raises(
        InvalidParameter, match=r"Mine is in no registry.*entry point in the group 'ganglion\.algorithms'"
    ):
        Mine(hidden=(2,), epochs=1).fit(X, Y).save(tmp_path / "m")


def test_saved_file_has_the_rights_of_any_new_file(model, tmp_path):
    model.save(tmp_path / "m")
    (tmp_path / "other").write_text("")
    assert (tmp_path / "m").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_no_training_rows_in_the_file(tmp_path):
    """A value that only one row has is not in the file."""
    names = np.array([f"secret-{i}" for i in range(40)], dtype=object)
    frame = {"name": names, "city": np.where(Y, "Rome", "Oslo"), "x": X[:, 0]}
    with pytest.warns(UserWarning, match="name"):
        gg.MLPClassifier(hidden=(2,), epochs=1).fit(frame, Y).save(tmp_path / "m")
    raw = Path(tmp_path / "m").read_bytes()
    assert b"secret" not in raw
    assert b"Rome" in raw


def test_tensors_come_back(tmp_path):
    import torch

    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}
    write_model(tmp_path / "m", {"x": 1}, tensors, "card")
    manifest, loaded = read_model(tmp_path / "m")
    assert manifest["x"] == 1
    assert all(torch.equal(tensors[name], loaded[name]) for name in tensors)
