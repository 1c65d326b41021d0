"""Detectors on the command line: trained, evaluated, asked."""

import csv
import json
import re

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def machine(tmp_path):
    rng = np.random.default_rng(0)
    load = np.sin(2 * np.pi * np.arange(900) / 24) + 0.1 * rng.normal(size=900)
    anomaly = np.zeros(900, dtype=int)
    anomaly[[800, 801, 860]] = 1
    load[anomaly == 1] += 3
    frame = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=900, freq="h"), "load": load, "anomaly": anomaly})
    frame.to_csv(tmp_path / "machine.csv", index=False)
    frame.drop(columns="anomaly").to_csv(tmp_path / "plain.csv", index=False)
    return tmp_path


def test_a_detector_is_trained_judged_by_the_labels_in_the_file_and_asked(machine, ganglion):
    model, report = machine / "m.ganglion", machine / "r.html"
    how = ["--set", "epochs=5", "--set", "threads=1", "--out", str(model), "--report", str(report)]
    trained = ganglion("train", str(machine / "machine.csv"), "--task", "anomaly_detection", *how)
    assert trained.code == 0
    assert "AnomalyDetector: anomaly detection; as asked" in trained.err
    assert "PR AUC" in trained.out
    assert "isolation" in trained.out
    page = report.read_text()
    assert "Alarms in the series" in page
    assert re.search(r"stated 0\.100%, by the rule extreme value", page)
    answered = list(csv.DictReader(ganglion("predict", model, machine / "plain.csv").out.splitlines()))
    assert len(answered) == 900
    assert {*answered[0]} == {"time", "alarm", "score", "p_value"}
    assert [answered[i]["alarm"] for i in (800, 860, 500)] == ["1", "1", "0"]
    assert answered[800]["time"] == "2024-02-03 08:00:00"
    evaluated = json.loads(ganglion("evaluate", model, machine / "machine.csv", "--json").out)
    assert evaluated["model"]["metrics"]["event_recall"]["value"] == 1
    unlabelled = ganglion("evaluate", model, machine / "plain.csv").out
    assert "no labels were given" in unlabelled
