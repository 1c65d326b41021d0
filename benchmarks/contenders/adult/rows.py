"""The Adult file as its documentation describes it; pandas, which every contender but Ganglion reads with."""

import numpy as np

NUMERIC = ["age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"]
CATEGORICAL = [
    "workclass",
    "education",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native_country",
]
COLUMNS = [
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"),
]


def read(path):
    """Return a frame with 14 features and `income`, 0 or 1; "?" is missing."""
    import pandas as pd

    frame = pd.read_csv(path, names=COLUMNS, skipinitialspace=True, na_values="?")
    frame["income"] = frame["income"].str.startswith(">50K").astype("int64")
    return frame


def labels(path):
    """Return the labels alone, for the measurement of quality outside the clock."""
    with open(path) as file:
        return np.array([">50K" in line for line in file if line.strip()], dtype=np.int64)
