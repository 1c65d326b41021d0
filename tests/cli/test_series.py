"""Series on the command line: found by their time column, trained, judged, and told on."""

import json

import numpy as np
import pandas as pd
import pytest

import ganglion as gg

QUICK = ("--set", "epochs=1", "--set", "horizon=6", "--set", "window=24")


@pytest.fixture
def hours(tmp_path):
    """Two columns, hour by hour: hours.csv."""
    steps, rng = np.arange(300), np.random.default_rng(0)
    y = 10 + 3 * np.sin(2 * np.pi * steps / 12) + 0.2 * rng.normal(size=300)
    frame = pd.DataFrame(
        {"time": pd.date_range("2024-01-01", periods=300, freq="h"), "y": y, "z": rng.normal(size=300)}
    )
    frame.to_csv(tmp_path / "hours.csv", index=False)
    return tmp_path / "hours.csv"


def test_train_says_why_it_forecasts_and_how_to_have_it_otherwise(ganglion, hours):
    ran = ganglion("train", hours, "--target", "y", "--report", "page.html", *QUICK)
    assert ran.code == 0, ran.err
    said = " ".join((ran.out + ran.err).split())
    assert "Forecaster: forecasting; the column 'time' is a regular time (every hour)" in said
    assert "for one answer a row give --task regression" in said
    assert "MASE" in said
    page = (hours.parent / "page.html").read_text()
    assert "<svg" in page
    assert "Worst forecasts" in page


def test_predict_tells_the_steps_that_follow_and_evaluate_judges(ganglion, hours):
    assert ganglion("train", hours, "--target", "y", "--out", "m.ganglion", *QUICK).code == 0
    ran = ganglion("predict", "m.ganglion", hours)
    lines = ran.out.splitlines()
    assert lines[0] == "time,y,y_0.05,y_0.25,y_0.5,y_0.75,y_0.95"
    assert [line.split(",")[0] for line in lines[1:]] == [f"2024-01-13 {h:02}:00:00" for h in range(12, 18)]
    ran = ganglion("predict", "m.ganglion", hours, "--json")
    assert len(json.loads(ran.out)) == 6
    ran = ganglion("evaluate", "m.ganglion", hours, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["task"] == "forecasting"


def test_another_task_may_be_asked_for(ganglion, hours):
    ran = ganglion("train", hours, "--target", "y", "--task", "regression", "--set", "epochs=1")
    assert ran.code == 0, ran.err
    assert "MLPRegressor" in ran.out + ran.err


def test_a_series_too_short_is_refused_before_training(ganglion, hours):
    ran = ganglion("train", hours, "--target", "y", "--set", "horizon=24", "--set", "window=230")
    assert ran.code != 0
    assert "the series has 240 steps, but a window of 230 and the 24 after it" in " ".join(ran.err.split())


def test_the_horizon_is_no_longer_than_what_is_held_out(ganglion, tmp_path):
    rows = [f"{1990 + i // 12}-{i % 12 + 1:02},{i % 12}" for i in range(60)]
    (tmp_path / "short.csv").write_text("\n".join(["month,sales", *rows]))
    ran = ganglion("train", tmp_path / "short.csv", "--out", tmp_path / "short.ganglion", "--set", "epochs=2")
    assert ran.code == 0, ran.err
    assert gg.load(tmp_path / "short.ganglion").horizon == 6
    ran = ganglion("train", tmp_path / "short.csv", "--out", tmp_path / "none.ganglion", "--set", "horizon=13")
    assert ran.code != 0
    assert "horizon=13, but there are 12 steps to test on" in " ".join(ran.err.split())
    assert not (tmp_path / "none.ganglion").exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (lambda rows: [*rows, *rows[:3]], "since 3 rows have a time that stands there already"),
        (lambda rows: rows[:9], "since there are fewer than 20 rows"),
        (lambda rows: rows[:1] + rows[3:4] + rows[30:], "since its times are not equally far apart"),
    ],
)
def test_why_a_table_of_times_is_no_series(ganglion, tmp_path, rows, words):
    given = rows([f"2024-01-{i // 24 + 1:02} {i % 24:02}:00,{i % 7}" for i in range(60)])
    (tmp_path / "hours.csv").write_text("\n".join(["time,load", *given]))
    ran = ganglion("train", "hours.csv")
    assert ran.code == 1
    said = " ".join(ran.err.split())
    assert "which column is to be predicted?" in said
    assert f"It was not read as a series with the times 'time', {words}" in said
