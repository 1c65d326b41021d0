"""Rows that were trained on and are measured on too."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ganglion.data.convert import as_dataset
from ganglion.data.suspicions import warn_of_repeated_rows
from ganglion.errors import DataWarning

TRAINING = as_dataset({"a": np.arange(1000.0), "colour": ["red", "blue"] * 500, "y": np.zeros(1000)}).with_target("y")


def rows(a, colour="red", **more):
    return as_dataset({"a": np.array(a, dtype=float), "colour": [colour] * len(a), **more})


def test_many_repeated_rows_are_counted_and_warned_of():
    with pytest.warns(DataWarning, match="2 of the 3 validation rows stand among the training rows too") as told:
        remark = warn_of_repeated_rows(rows([0, 2, 5000]), TRAINING, "validation")
    assert remark == str(told[0].message)


def test_a_few_are_said_but_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        remark = warn_of_repeated_rows(rows([0, *range(5000, 5199)]), TRAINING, "test")
    assert remark.startswith("1 of the 200 test rows")


def test_features_alone_are_compared():
    other_target = rows([5000, 0], y=np.ones(2)).with_target("y")
    with pytest.warns(DataWarning, match="1 of the 2 test rows"):
        warn_of_repeated_rows(other_target, TRAINING, "test")


@pytest.mark.parametrize("data", [rows([0], "blue"), rows([1]), rows([0], b=np.zeros(1))], ids=str)
def test_other_rows_and_other_columns_are_no_copies(data):
    assert warn_of_repeated_rows(data, TRAINING, "test") == ""
