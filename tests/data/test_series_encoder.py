"""Tables as series: roles of columns, order, gaps, and what is refused, with what to do."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganglion.data.convert import as_dataset
from ganglion.data.encoders import encoder_from_json, modality_of
from ganglion.data.horizon import horizon_of
from ganglion.data.series_encoder import SeriesEncoder
from ganglion.errors import DataWarning, InvalidInput, InvalidModel, InvalidParameter


def hourly(n=30, **columns):
    given = {"time": pd.date_range("2024-01-01", periods=n, freq="h"), "y": np.arange(n, dtype=float)}
    return pd.DataFrame(given | {k: v[:n] if hasattr(v, "__len__") else v for k, v in columns.items()})


def fitted(frame, **how):
    data = as_dataset(frame)
    encoder = SeriesEncoder.fit(data, **how)
    return encoder, encoder.panel(data)


def two_shops(n=20):
    frames = [hourly(n, shop=name, size=size, promo=np.arange(n) % 2) for name, size in (("b", 3.0), ("a", 7.0))]
    frames[1]["y"] += 100
    return pd.concat(frames, ignore_index=True)


def test_an_array_is_one_series_of_all_its_columns():
    X = np.random.default_rng(0).normal(size=(9, 3))
    encoder, panel = fitted(X)
    assert encoder.targets == ("x0", "x1", "x2")
    assert torch.equal(panel.values, torch.from_numpy(X))
    assert (panel.observed, panel.gaps, panel.ids) == (None, (), ("",))


def test_roles_follow_from_names_and_kinds():
    frame = two_shops().assign(weather=["sun", "rain"] * 20, holiday=False)
    encoder, panel = fitted(frame, target=("y",), known=("holiday",))
    assert (encoder.time, encoder.series) == ("time", "shop")
    roles = {column.name: column.role for column in encoder.columns}
    assert roles == {"y": "target", "promo": "past", "weather": "past", "size": "static", "holiday": "static"}
    assert panel.names == ("y", "promo", "weather=rain", "weather=sun", "size", "holiday")
    assert panel.ids == ("a", "b")
    assert panel.values[0].tolist() == [100, 0, 0, 1, 7, 0]
    assert encoder.spec.series == (1, 3, 2)


def test_every_number_is_a_target_unless_said_otherwise():
    encoder, _ = fitted(hourly(z=np.ones(30), flag=np.arange(30) > 3))
    assert encoder.targets == ("y", "z")


@given(order=st.permutations(range(40)))
def test_rows_may_stand_in_any_order(order):
    frame = two_shops()
    encoder, panel = fitted(frame)
    shuffled = encoder.panel(as_dataset(frame.iloc[order]))
    assert torch.equal(shuffled.values, panel.values)
    assert (np.array(order)[shuffled.rows] == panel.rows).all()


def test_disorder_is_told():
    with pytest.warns(DataWarning, match=r"rows are out of order: the times of 'time' fall 1 times, first in row 5"):
        fitted(hourly().iloc[[0, 1, 2, 4, 5, 3, *range(6, 30)]])


def test_duplicate_times_are_refused():
    frame = pd.concat([hourly(), hourly(3)])
    with pytest.raises(
        InvalidInput, match=r"3 steps at a time that stands there already, the first at 2024-01-01 00:00:00"
    ):
        fitted(frame, series=None)


def test_the_column_of_series_is_found_where_times_stand_twice():
    assert fitted(two_shops())[0].series == "shop"
    assert fitted(hourly(kind=["a", "b"] * 15))[0].series == ""


def test_gaps_are_filled_by_the_past_and_told():
    frame = hourly(z=np.arange(30.0)).drop(index=[3, 4, 10])
    frame.loc[20, "z"] = np.nan
    encoder, _ = fitted(hourly(z=np.arange(30.0)))
    with pytest.warns(
        DataWarning, match=r"3 of 30 steps are missing \(every hour\): 2 after 2024-01-01 02:00:00, 1 after"
    ):
        panel = encoder.panel(as_dataset(frame))
    assert panel.values[:, 0].tolist() == [0, 1, 2, 2, 2, *range(5, 10), 9, *range(11, 30)]
    assert panel.values[20, 1] == 19
    assert torch.nonzero(~panel.seen()).tolist() == [[3, 0], [3, 1], [4, 0], [4, 1], [10, 0], [10, 1], [20, 1]]
    assert (panel.rows[[3, 4, 10]] == -1).all()
    np.testing.assert_array_equal(np.diff(panel.times), 3600)


def test_gaps_are_refused_where_asked_or_too_many():
    frame = hourly().drop(index=[5])
    with pytest.raises(InvalidInput, match=r"1 of 30 step is missing .*gaps='refuse' allows none"):
        fitted(frame, gaps="refuse")
    thin = hourly(300).iloc[[0, 1, 2, 3, 290, 299]]
    with pytest.raises(InvalidInput, match="more than there are"):
        fitted(thin)


def test_irregular_times_are_taken_as_rows_and_told():
    rng = np.random.default_rng(0)
    frame = hourly(30)
    frame["time"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.uniform(0, 1e6, 30)), unit="s")
    with pytest.warns(DataWarning, match="no regular grid"):
        encoder, panel = fitted(frame)
    assert not encoder.grid.regular
    assert panel.n_steps == 30


@pytest.mark.parametrize(
    ("frame", "how", "error", "words"),
    [
        (hourly(), {"target": ("z",)}, InvalidInput, "no column is called 'z'"),
        (hourly(), {"target": ("time",)}, InvalidInput, "can be nothing else"),
        (hourly(word=["a", "b"] * 15), {"target": ("word",)}, InvalidInput, "Only numbers are forecast"),
        (hourly()[["time"]], {}, InvalidInput, "no column of numbers is left"),
        (hourly(), {"target": ("y",), "known": ("y",)}, InvalidParameter, "not known ahead"),
        (hourly(other=pd.date_range("2020", periods=30)), {}, InvalidInput, "2 columns hold dates: time, other"),
        (hourly(word=["a", "b"] * 15), {"time": "word"}, InvalidInput, "is to hold times, but holds categorical"),
        (hourly().assign(time=[pd.NaT, *hourly(29)["time"]]), {}, InvalidInput, "1 rows have no time .*row 0"),
        (hourly(210, code=[f"c{i % 105}" for i in range(210)]), {"target": "y"}, InvalidInput, "105 different labels"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_out(frame, how, error, words):
    with pytest.raises(error, match=words):
        fitted(frame, **how)


def test_other_steps_than_those_of_training_are_refused():
    encoder, _ = fitted(hourly())
    finer = hourly().assign(time=pd.date_range("2024-01-01", periods=30, freq="min"))
    with pytest.raises(InvalidInput, match=r"are every hour in training, but .* are closer than one step"):
        encoder.panel(as_dataset(finer))


def test_an_encoder_comes_back_from_json_and_damage_is_seen():
    from dataclasses import replace

    encoder = replace(fitted(two_shops(), target=("y",), known=("promo",), calendar=True)[0], window=5)
    assert encoder_from_json(encoder.to_json()) == encoder
    for name, damage in (
        *(("columns", []), ("columns", [["y", "hero", None]]), ("columns", [["p", "past", None]])),
        *(("time", 3), ("gaps", "leave"), ("window", 0), ("calendar", ["moon"]), ("grid", {})),
    ):
        with pytest.raises(InvalidModel, match="damaged"):
            encoder_from_json(encoder.to_json() | {name: damage})


def test_tables_are_series_for_who_reads_them_so():
    data = as_dataset(hourly())
    assert modality_of(data) == "table"
    assert modality_of(data, ("series",)) == "series"


def test_the_horizon_follows_the_last_target_and_takes_what_is_known():
    from dataclasses import replace

    frame = hourly(12, promo=np.arange(12.0))
    frame.loc[9:, "y"] = np.nan
    encoder, panel = fitted(frame, target=("y",), known=("promo",), calendar=True)
    encoder = replace(encoder, window=4)
    found = horizon_of(panel, encoder, 3)
    assert found.ends.tolist() == [9]
    assert found.window[0, 0].tolist()[:4] == [5, 6, 7, 8]
    assert found.window[0, 0, 4:].isnan().all()
    assert found.window[0, 1].tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert (found.times[0] == panel.times[9:]).all()
    torch.testing.assert_close(found.window[0, 2:, 4:].T, panel.values[9:, 2:])
    with pytest.raises(InvalidInput, match=r"'promo' is told for 3 steps ahead of the series, and the horizon has 4"):
        horizon_of(panel, encoder, 4)
    with pytest.raises(InvalidInput, match="has 9 steps up to its last target, but the model reads 10"):
        horizon_of(panel, replace(encoder, window=10), 3)
