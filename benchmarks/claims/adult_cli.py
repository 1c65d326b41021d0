"""Adult census by the command line alone, with default settings: from the raw files to a tested model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.claims import Claim, Figure, Skipped, wilson
from ganglion.data.public import find
from ganglion.errors import InvalidFile

SEEDS = range(5)


def claim() -> Claim:
    """Train and test with five seeds; the figures are means over them."""
    try:
        files = find("adult/adult.data"), find("adult/adult.test")
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    reports = [_report(files, seed) for seed in SEEDS]
    metrics = [report["model"]["metrics"] for report in reports]
    accuracies = [each["accuracy"]["value"] for each in metrics]
    areas = [each["roc_auc"] for each in metrics]
    low, high = wilson(fmean(accuracies), reports[0]["n_rows"])
    return Claim(
        name="adult_cli",
        data="Adult census, adult.data (32,561 rows) to adult.test (16,281 rows), raw files.",
        settings="`ganglion train adult.data --target -1 --test adult.test --json`, all options as they come; mean of "
        f"seeds 0 to {SEEDS[-1]}: accuracy {_listed(accuracies)}; ROC AUC {_listed([a['value'] for a in areas])}. "
        "Intervals: the sampling of the test rows (Wilson; bootstrap of 1,000).",
        reference="scikit-learn's MLP pipeline 0.8565, AutoGluon's network 0.856, Ludwig 0.854 (measured here before).",
        figures=[
            Figure("accuracy", fmean(accuracies), low, high, target=0.856, paper="0.8565 (scikit-learn)"),
            Figure(
                "ROC AUC",
                fmean(area["value"] for area in areas),
                fmean(area["low"] for area in areas),
                fmean(area["high"] for area in areas),
                target=0.911,
            ),
        ],
        details={
            "seeds": list(SEEDS),
            "metrics": metrics,
            "baselines": reports[0]["baselines"],
            "verdict": reports[0]["verdict"],
        },
    )


def _report(files: tuple[Path, Path], seed: int) -> Mapping[str, Any]:
    """Run the command in a folder of its own and return its JSON; the baselines are run with the first seed only."""
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            shutil.copyfile(file, Path(folder) / file.name)
        command = [sys.executable, "-m", "ganglion", "train", files[0].name, "--target", "-1", "--test", files[1].name]
        command += ["--json", "--seed", str(seed), *([] if seed == SEEDS[0] else ["--no-baselines"])]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def _listed(values: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)
