"""The command on folders of pictures, from a look at them to predictions beside their names."""

import json

import pytest
from PIL import Image
from tests.data.pictures import classes, noise, put


@pytest.fixture
def pets(tmp_path):
    for part, n in (("train", 12), ("test", 6)):
        classes(tmp_path / "pets" / part, n=n, sizes=((12, 16), (20, 14)))
    return tmp_path / "pets"


@pytest.fixture
def trained(ganglion, pets):
    ran = ganglion(
        *("train", pets, "--set", "epochs=3", "--set", "channels=4", "--no-baselines", "--json"),
        *("--image-size", "10x8", "--resize", "pad", "--out", "m.ganglion"),
    )
    assert ran.code == 0, ran.err
    return ran


def test_inspect(ganglion, pets):
    ran = ganglion("inspect", pets, "--json")
    seen = json.loads(ran.out)
    assert [each["kind"] for each in seen["columns"]] == ["image", "categorical", "text", "numeric", "numeric"]
    assert seen["balance"] == {"cats": 12, "dogs": 12}
    assert "They are brought to 16 × 15" in ran.err


def test_train_tests_on_the_part_for_testing(trained):
    report = json.loads(trained.out)
    assert "Tested on pets, part 'test', 12 rows." in report["notes"]


def test_predict_writes_names_beside_answers(ganglion, trained, pets, tmp_path):
    for i in range(3):
        put(tmp_path / "photos" / f"é {i}.jpg", noise(40 + i, 50))
    put(tmp_path / "photos" / "3.png").write_bytes(b"nothing")
    ran = ganglion("predict", "m.ganglion", tmp_path / "photos", "--out", "out.csv")
    assert ran.code == 0, ran.err
    assert "1 of 4 pictures cannot be read: 3.png is no picture" in ran.err
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "file,prediction,p_cats,p_dogs"
    assert [line.split(",")[0] for line in lines[1:]] == ["é 0.jpg", "é 1.jpg", "é 2.jpg"]
    ran = ganglion("predict", "m.ganglion", tmp_path / "photos" / "é 1.jpg", "--json")
    (row,) = json.loads(ran.out)
    assert lines[2] == f"{'é 1.jpg'},{row['prediction']},{row['p_cats']},{row['p_dogs']}"


def test_evaluate(ganglion, trained, pets):
    ran = ganglion("evaluate", "m.ganglion", pets / "test", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["model"]["metrics"] == json.loads(trained.out)["model"]["metrics"]


def test_masks_and_objects_are_known_as_tasks(ganglion, tmp_path):
    for i in range(4):
        put(tmp_path / "cells" / "images" / f"{i}.png")
        put(tmp_path / "cells" / "masks" / f"{i}.png", Image.new("L", (16, 12), i))
    assert json.loads(ganglion("inspect", tmp_path / "cells", "--json").out)["task"]["name"] == "segmentation"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--image-size", "huge"], 2, "--image-size huge: give HEIGHTxWIDTH in pixels"),
        (["--image-size", "0x5"], 2, r"size=(0, 5): give (height, width)"),
        (["--resize", "shrink"], 2, "resize='shrink': allowed are 'stretch', 'crop', 'pad'"),
    ],
)
def test_options_that_are_wrong(ganglion, pets, words, code, message):
    ran = ganglion("train", pets, *words)
    assert (ran.code, message in ran.err.replace("\n", " ")) == (code, True), ran.err


def test_a_folder_without_labels_cannot_be_trained_on(ganglion, tmp_path):
    for i in range(12):
        put(tmp_path / "photos" / f"{i}.png")
    ran = ganglion("train", tmp_path / "photos")
    assert ran.code == 1
    assert "which column is to be predicted?" in ran.err


def test_one_class(ganglion, tmp_path):
    for i in range(12):
        put(tmp_path / "pets" / "cats" / f"{i}.png", noise(seed=i))
    ran = ganglion("train", tmp_path / "pets")
    assert ran.code == 1
    assert "the target has one class only, 'cats'" in ran.err
