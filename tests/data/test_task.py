"""Which task a target stands for."""

import numpy as np
import pytest

from ganglion.data.task import infer_task
from ganglion.errors import InvalidInput


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (["a", "b", "a"], "binary"),
        (["a", "b", "c"], "multiclass"),
        (np.array(["a", None, "b"], dtype=object), "binary"),
        (np.array([True, False]), "binary"),
        ([0, 1], "binary"),
        ([0.0, 1.0, np.nan], "binary"),
        (np.arange(150) % 3, "multiclass"),
        (np.arange(50) % 10, "multiclass"),
        (np.arange(400) % 20, "multiclass"),
        (np.arange(399) % 20, "regression"),
        (np.arange(1000) % 21, "regression"),
        (np.arange(30), "regression"),
        ([0.5, 1.5] * 50, "regression"),
        (np.array([[1.5], [2.0]]), "regression"),
        (np.eye(3), "multilabel"),
        (np.eye(3, dtype=bool), "multilabel"),
        (np.array([[0.5, 1.0], [2.0, 3.0]]), "multioutput_regression"),
        (np.array([1.5, None], dtype=object), "regression"),
    ],
)
def test_task(y, task):
    found = infer_task(y)
    assert found.name == task
    assert found.reason.startswith("the target")
    assert found.is_classification == (task in ("binary", "multiclass", "multilabel"))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([], "the target has no values"),
        ([np.nan, np.nan], "nothing but missing values"),
        (np.array([None, None]), "nothing but missing values"),
        (np.array([["a", "b"]]), r"a target of shape \(1, 2\).*not supported"),
    ],
)
def test_no_task(y, message):
    with pytest.raises(InvalidInput, match=message):
        infer_task(y)
