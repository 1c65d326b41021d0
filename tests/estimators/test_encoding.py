"""From columns to tensors, in the same way at prediction as in training."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from ganglion.data.convert import as_dataset
from ganglion.data.encoders import encoder_from_json
from ganglion.data.encoding import ImageEncoder, InputSpec, TableEncoder
from ganglion.errors import DataWarning, InvalidInput, InvalidModel

FRAME = pd.DataFrame(
    {
        "n": [1.0, np.nan, 3.0, 4.0],
        "k": ["a", "b", "a", "b"],
        "t": [True, False, True, True],
        "d": pd.to_datetime(["2024-01-01", "2024-07-02", None, "2024-12-31"]),
    }
)


def fitted(X=FRAME) -> TableEncoder:
    return TableEncoder.fit(as_dataset(X))


def test_columns_become_tensors():
    encoder = fitted()
    tensors = encoder.encode(as_dataset(FRAME))
    assert set(tensors) == {"numeric", "categorical"}
    assert tensors["numeric"].shape == (4, encoder.spec.numeric) == (4, len(encoder.feature_names) - 1)
    np.testing.assert_array_equal(tensors["numeric"][:, 0], FRAME["n"])
    assert tensors["categorical"].tolist() == [[1], [2], [1], [2]]
    assert encoder.spec.cardinalities == (3,)
    assert encoder.feature_names[:2] == ("n", "t")
    assert encoder.feature_names[-1] == "k"


def test_a_date_is_a_time_and_its_place_in_year_week_and_day():
    frame = pd.DataFrame({"d": pd.to_datetime(["2024-02-29 06:00", "2031-02-28 06:00", "2031-02-21 06:00"])})
    encoder = fitted(frame)
    numbers = encoder.encode(as_dataset(frame))["numeric"].numpy()
    seconds = frame["d"].astype("datetime64[s]").astype(int)
    np.testing.assert_array_equal(numbers[:, 0], seconds)
    by_name = dict(zip(encoder.feature_names, numbers.T, strict=True))
    np.testing.assert_allclose(by_name["d_day_sin"], 1, atol=1e-4)  # six o'clock is a quarter of the day
    np.testing.assert_allclose(by_name["d_week_sin"][1], by_name["d_week_sin"][2], atol=1e-4)
    np.testing.assert_allclose(by_name["d_year_cos"][0], by_name["d_year_cos"][1], atol=0.03)


def test_gaps_in_training_are_remembered():
    encoder = fitted()
    assert encoder.missing[0] == 0
    assert 1 not in encoder.missing  # the truth value has none
    assert not fitted(FRAME.dropna()).missing


@pytest.mark.parametrize("label", ["never seen", None, np.nan])
def test_missing_and_unseen_are_code_zero(label):
    given = FRAME.assign(k=pd.Series(["a", label, "b", "a"], dtype=object))
    assert fitted().encode(as_dataset(given))["categorical"].flatten().tolist() == [1, 0, 2, 1]


def test_the_order_of_categories_at_prediction_does_not_matter():
    given = FRAME.assign(k=pd.Categorical(["b", "a", "b", "b"], categories=["z", "b", "a"]))
    assert fitted().encode(as_dataset(given))["categorical"].flatten().tolist() == [2, 1, 2, 2]


def test_numbers_where_categories_were_are_matched_as_texts():
    frame = pd.DataFrame({"zip": pd.Series(["100", "200"] * 3, dtype="category"), "x": range(6)})
    encoder = fitted(frame)
    assert encoder.encode(as_dataset(frame.assign(zip=[100, 200.0, 100, 300, 200, 100])))["categorical"].flatten().tolist() == [1, 2, 1, 0, 2, 1]  # fmt: skip  # noqa: E501
    with pytest.warns(
        DataWarning, match=r"'zip' held categories in training \(100, 200\), but now holds numeric values"
    ):
        encoder.encode(as_dataset(frame.assign(zip=np.arange(6.0) / 7)))


def test_a_column_of_nothing_but_gaps():
    given = FRAME.assign(n=None, k=None, d=pd.NaT)
    tensors = fitted().encode(as_dataset(given))
    assert tensors["numeric"][:, 0].isnan().all()
    assert not tensors["categorical"].any()
    assert tensors["numeric"].shape == (4, fitted().spec.numeric)


def test_blocks_and_columns_stand_side_by_side():
    block = np.arange(8.0).reshape(4, 2)
    data = as_dataset({"block": block, "one": np.arange(4.0)})
    encoder = TableEncoder.fit(data)
    np.testing.assert_array_equal(encoder.encode(data)["numeric"], np.column_stack([block, np.arange(4.0)]))
    assert encoder.spec.numeric == 3
    assert encoder.feature_names == ("block0", "block1", "one")


def test_the_order_of_columns_at_prediction_does_not_matter():
    encoder = fitted()
    one, other = encoder.encode(as_dataset(FRAME)), encoder.encode(as_dataset(FRAME[["d", "t", "k", "n"]]))
    for name in one:
        assert torch.equal(one[name].nan_to_num(), other[name].nan_to_num())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (FRAME.drop(columns="n"), r"the column 'n' is missing.*Given: k, t, d.*trained on: n, k, t, d"),
        (FRAME.rename(columns={"n": "nn"}), r"'n' is missing. Did you mean 'nn'\?"),
        (
            FRAME.assign(n=["x", "y", "x", "y"]),
            r"'n' held numbers in training, but now holds categorical values \('x', 'y', 'x'\)",
        ),
    ],
)
def test_other_columns_are_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        fitted().encode(as_dataset(given))


def test_free_text_is_left_out_with_a_warning():
    texts = [f"this is a rather long sentence number {i} about nothing" for i in range(6)]
    with pytest.warns(DataWarning, match="'story' holds free text.*left out"):
        encoder = fitted(pd.DataFrame({"story": texts, "x": range(6)}))
    assert encoder.feature_names == ("x",)
    with pytest.warns(DataWarning), pytest.raises(InvalidInput, match="no column is left"):
        fitted(pd.DataFrame({"story": texts}))


def test_images():
    images = np.arange(5 * 8 * 6).reshape(5, 8, 6).astype("uint8")
    encoder = ImageEncoder.fit(as_dataset(images))
    assert encoder == ImageEncoder((1, 8, 6), pixels="uint8")
    assert ImageEncoder.fit(as_dataset(images / 255)).pixels == "float32"
    assert encoder.spec == InputSpec(image=(1, 8, 6))
    assert encoder.encode(as_dataset(images))["image"].shape == (5, 1, 8, 6)
    with pytest.raises(InvalidInput, match=r"\(1, 6, 8\).*\(1, 8, 6\)"):
        encoder.encode(as_dataset(images.transpose(0, 2, 1)))
    with pytest.raises(InvalidInput, match="images"):
        encoder.encode(as_dataset(np.ones((5, 48))))
    with pytest.raises(InvalidInput, match="images beside other columns"):
        ImageEncoder.fit(as_dataset({"image": images, "x": np.arange(5.0)}))


def test_images_of_any_size():
    encoder = ImageEncoder.fit(as_dataset(np.zeros((5, 8, 6), np.uint8)), any_size=True)
    assert encoder.encode(as_dataset(np.zeros((2, 3, 17), np.uint8)))["image"].shape == (2, 1, 3, 17)
    with pytest.raises(InvalidInput, match=r"\(3, 8, 6\).*\(1, 8, 6\). Give as many channels"):
        encoder.encode(as_dataset(np.zeros((2, 8, 6, 3), np.uint8)))


@pytest.mark.parametrize(
    "encoder",
    [fitted(), ImageEncoder((3, 4, 5)), ImageEncoder((3, 4, 5), any_size=True, resize="pad")],
    ids=["table", "image", "any_size"],
)
def test_it_comes_back_from_json(encoder):
    assert encoder_from_json(json.loads(json.dumps(encoder.to_json()))) == encoder


TABLE = fitted().to_json()
IMAGE = ImageEncoder((1, 2, 3)).to_json()
FIELD = TABLE["fields"][1] | {"shape": [], "categories": ["a", "b"]}


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        {"modality": "sound"},
        IMAGE | {"shape": [4, 3]},
        IMAGE | {"shape": [1, 0, 3]},
        IMAGE | {"shape": [1, 2, 2**40]},
        IMAGE | {"shape": "abc"},
        {name: IMAGE[name] for name in ("modality", "shape", "resize")},
        {name: IMAGE[name] for name in ("modality", "shape", "any_size")},
        IMAGE | {"any_size": 1},
        IMAGE | {"resize": "shrink"},
        IMAGE | {"resize": ["pad"]},
        {"modality": "table", "fields": TABLE["fields"]},
        TABLE | {"fields": [FIELD | {"kind": "image"}]},
        TABLE | {"fields": [FIELD | {"name": 3}]},
        TABLE | {"fields": [FIELD | {"categories": [1]}]},
        TABLE | {"fields": [FIELD | {"shape": [-1]}]},
        TABLE | {"fields": 3},
        TABLE | {"missing": [99]},
        TABLE | {"missing": [-1]},
        TABLE | {"missing": "0"},
        TABLE | {"missing": [0.5]},
    ],
)
def test_a_damaged_description_is_refused(stored):
    with pytest.raises(InvalidModel, match="its input is damaged"):
        encoder_from_json(json.loads(json.dumps(stored)))
