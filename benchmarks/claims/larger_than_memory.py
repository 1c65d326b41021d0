"""Training on data 10 times as large as the memory it may take: from Parquet, a memory map, a folder of pictures.

The process may allocate 32 MB beyond what it has after its imports and a small fit: the kernel refuses more
(RLIMIT_DATA). What is resident at most, with the pages of mapped files, is read from /proc.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MEGABYTES = 32
FACTOR = 10
N_COLUMNS = 500
KINDS = ("parquet", "npy", "pictures")
SIDE = 128  # of a picture, in pixels
_TOGETHER = 4096  # rows written at a time


def claim() -> dict[str, Any]:
    """Write the data, train on each in a process of its own, and see what it took."""
    from benchmarks.claims import Skipped

    if sys.platform != "linux":
        raise Skipped("memory is limited and watched by means of Linux")
    promise = f"trains, validates and predicts on {FACTOR} × its {MEGABYTES} MB of memory"
    try:
        with tempfile.TemporaryDirectory(prefix="ganglion-large-", dir="/var/tmp") as folder:
            found = {kind: run(kind, Path(folder), MEGABYTES) for kind in KINDS}
    except RuntimeError as error:
        return {"claim": promise, "holds": False, "error": str(error).splitlines()[-1]}
    return {
        "claim": promise,
        "holds": all(each["resident_mb"] <= MEGABYTES and each["r2"] > 0.95 for each in found.values()),
        **{f"{kind} {name}": value for kind, each in found.items() for name, value in each.items()},
    }


def run(kind: str, folder: Path, megabytes: int, factor: int = FACTOR) -> dict[str, float]:
    """Write data of factor × megabytes and train on them in a process that may take so many; return what it found."""
    path = folder / f"x.{kind}"
    row_bytes = 3 * SIDE**2 if kind == "pictures" else 4 * N_COLUMNS
    _write(kind, path, -(-factor * megabytes * 2**20 // row_bytes))
    settings = {
        "GANGLION_CACHE": str(folder / "cache"),
        "GANGLION_MEMORY": str(megabytes),
        "OMP_NUM_THREADS": "1",
        "ARROW_IO_THREADS": "1",  # a thread that starts late would be counted with its whole stack
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve a gigabyte beforehand
        "MALLOC_MMAP_THRESHOLD_": str(2**17),  # what is freed is given back, so that what is counted is in use
    }
    command = [sys.executable, __file__, kind, str(path), str(megabytes)]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=600)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _write(kind: str, path: Path, n_rows: int) -> None:
    {"parquet": _write_parquet, "npy": _write_npy, "pictures": _write_pictures}[kind](path, n_rows)


def _write_pictures(path: Path, n_rows: int) -> None:
    """Write pictures of one colour each, and a table that tells how red they are."""
    from PIL import Image

    path.mkdir()
    colours = np.random.default_rng(0).integers(0, 256, (n_rows, 3))
    for i, colour in enumerate(colours.tolist()):
        Image.new("RGB", (SIDE, SIDE), tuple(colour)).save(path / f"{i}.png", compress_level=1)
    lines = [f"{i}.png,{red}" for i, red in enumerate(colours[:, 0].tolist())]
    (path / "labels.csv").write_text("\n".join(["file,red", *lines]))


def _write_parquet(path: Path, n_rows: int) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.float32()) for name in [*(f"x{i}" for i in range(N_COLUMNS - 1)), "y"]])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False, write_statistics=False) as file:
        for X in _rows(n_rows):
            columns = [*X.T[:-1], _target(X[:, :-1])]
            file.write_batch(pa.record_batch([pa.array(np.ascontiguousarray(c)) for c in columns], schema=schema))


def _write_npy(path: Path, n_rows: int) -> None:
    y = []
    with path.open("wb") as file:
        head = {"descr": "<f4", "fortran_order": False, "shape": (n_rows, N_COLUMNS)}
        np.lib.format.write_array_header_1_0(file, head)
        for X in _rows(n_rows):
            file.write(X.data)
            y.append(_target(X))
    np.save(path.with_suffix(".y.npy"), np.concatenate(y))


def _rows(n_rows: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for start in range(0, n_rows, _TOGETHER):
        yield rng.random((min(_TOGETHER, n_rows - start), N_COLUMNS), dtype=np.float32)


def _target(X: np.ndarray) -> np.ndarray:
    return X[:, 0] - 2 * X[:, 1] + X[:, -1]


def _fit_and_predict(kind: str, path: Path) -> float:
    """Return R² of the predictions of all rows that were trained on."""
    import ganglion as gg

    model = gg.MLPRegressor(hidden=(8,), epochs=2, batch_size=256, random_state=0)
    if kind == "pictures":
        X, y = gg.read(path).X_y()
        model.set_params(hidden=(), epochs=1, batch_size=8, learning_rate=1e-4, weight_decay=0.0).fit(X, y)
    elif kind == "parquet":
        X, y = gg.read(path, target="y").X_y()
        model.fit(X, y)  # a tenth is held out
    else:
        whole, y = np.load(path, mmap_mode="r"), np.load(path.with_suffix(".y.npy"))
        n = len(y) // 20
        validation = whole[:n], y[:n]
        X, y = whole[n:], y[n:]
        model.fit(X, y, validation=validation)
    assert "validation_loss" in model.history_.rows[-1]
    return float(1 - np.square(model.predict(X) - y).mean() / y.var())


def _memory(name: str) -> int:
    """Return one of the kernel's figures on this process in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def _worker(kind: str, path: Path, megabytes: int) -> None:
    """Train under the limit, after everything was loaded and used once."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / f"small.{kind}"
        _write(kind, small, 1200 if kind == "pictures" else 2000)
        os.environ["GANGLION_MEMORY"] = "4"
        _fit_and_predict(kind, small)
    os.environ["GANGLION_MEMORY"] = str(megabytes)
    private, resident = _memory("VmData"), _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    resource.setrlimit(resource.RLIMIT_DATA, (private + megabytes * 2**20, resource.RLIM_INFINITY))
    r2 = _fit_and_predict(kind, path)
    print(json.dumps({"r2": r2, "resident_mb": (_memory("VmHWM") - resident) / 2**20}))


if __name__ == "__main__":
    _worker(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
