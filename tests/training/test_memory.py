"""Many fits in one process take no more memory than a few."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MOST_MB = 5.0

# in a process of its own: what other tests leave behind, and free, is no matter of ours
FITS = """
import gc, json, os, sys, tempfile
from pathlib import Path
import numpy as np
import pandas as pd
import ganglion as gg

random = np.random.default_rng(0)
X, folder = random.normal(size=(200, 2)), Path(sys.argv[1])
table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "colour": random.choice(["red", "green", "blue"], 200)})
label, number = np.where(X[:, 0] > 0, "yes", "no"), X @ [1.0, -2.0]
early = {"hidden": (64, 64), "epochs": 3, "validation_fraction": 0.2, "patience": 1}

def resident_mb():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

def fit(i):
    model, data, y = [
        (gg.MLPClassifier(**early), table, label),
        (gg.MLPRegressor(**early), X, number),
        (gg.Perceptron(epochs=3), X, label),
    ][i % 3]
    model.fit(data, y, checkpoint=folder / "run" if i % 10 == 0 else None)
    model.predict(data)
    if i % 4 == 0:
        model.save(folder / "model")
        gg.load(folder / "model").predict(data)

for i in range(20):
    fit(i)
before = resident_mb()
for i in range(200):
    fit(i)
after = resident_mb()
held = np.ones((10, 2**17))  # 10 MB, which the gauge must see
print(json.dumps({"grown": after - before, "gauge": resident_mb() - after}))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc, which is absent")
def test_200_fits_grow_by_less_than_5_mb(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", FITS, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stderr
    measured = json.loads(ran.stdout)
    assert measured["gauge"] == pytest.approx(10, abs=1)
    assert measured["grown"] <= MOST_MB
