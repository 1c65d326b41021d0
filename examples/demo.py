"""The whole road in a minute: from a CSV and a stack of images to models, reports and predictions.

The data come with scikit-learn and are written out as files first, so that every step is the one that a user takes.
Each command that is run is printed before it runs; type the same to do it by hand.
"""

from __future__ import annotations

import csv
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

OUT = Path("demo-output")


def write_tables(train: Path, new: Path) -> None:
    """Write the Wisconsin breast cancer data, 569 tumours, as two CSV files: the last 100 come later, as new data."""
    data = load_breast_cancer()
    header = [*(name.replace(" ", "_") for name in data.feature_names), "diagnosis"]
    rows = [[*row, data.target_names[label]] for row, label in zip(data.data, data.target, strict=True)]
    for path, part in ((train, rows[:-100]), (new, rows[-100:])):
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *part])


def write_images(path: Path) -> None:
    """Write 1,797 handwritten digits of 8 × 8 pixels as an npz of images and labels."""
    digits = load_digits()
    np.savez_compressed(path, images=(digits.images * 15.9375).astype(np.uint8), labels=digits.target)


def ganglion(*words: object) -> None:
    """Run a command and show it; stop the demo if it fails."""
    command = ["ganglion", *map(str, words)]
    print(f"\n$ {shlex.join(command)}", flush=True)
    subprocess.run([sys.executable, "-m", *command], check=True)


def main() -> None:
    """Go the road twice: a table, then images."""
    start = time.perf_counter()
    OUT.mkdir(exist_ok=True)
    table, new, images = OUT / "tumours.csv", OUT / "tumours-new.csv", OUT / "digits.npz"
    write_tables(table, new)
    write_images(images)
    print(f"wrote {table}, {new} and {images}, from data that come with scikit-learn")

    model, page = OUT / "tumours.ganglion", OUT / "tumours.html"
    ganglion("inspect", table, "--target", "diagnosis")
    ganglion("train", table, "--target", "diagnosis", "--out", model, "--report", page)
    ganglion("evaluate", model, new, "--train", table, "--report", OUT / "tumours-new.html")
    ganglion("predict", model, new, "--out", OUT / "tumours-predicted.csv")
    ganglion(
        "train", images, "--set", "hidden=256,128", "--out", OUT / "digits.ganglion", "--report", OUT / "digits.html"
    )

    print(f"\ndone in {time.perf_counter() - start:.0f} s. Look at:")
    for path in sorted(OUT.iterdir()):
        print(f"  {path}  ({path.stat().st_size / 1024:,.0f} kB)")


if __name__ == "__main__":
    main()
