"""The command on folders of pictures, from a look at them to predictions beside their names."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.data.pictures import classes, noise, put

import ganglion as gg
from ganglion.data.read import read


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


def test_objects_are_told_in_pixels_of_the_files(ganglion, tmp_path):
    squares = np.zeros((24, 40, 40), dtype=np.uint8)
    corners = np.random.default_rng(0).integers(0, 28, (24, 2))
    for pixels, (x, y) in zip(squares, corners.tolist(), strict=True):
        pixels[y : y + 12, x : x + 12] = 255
    y = [{"boxes": [[x, top, x + 12, top + 12]], "labels": ["square"]} for x, top in corners.tolist()]
    gg.DetectionCNN(epochs=1, random_state=0, score_threshold=0.0, max_detections=3).fit(squares, y).save("m.ganglion")
    put(tmp_path / "photos" / "wide.png", noise(80, 400, mode="L"))
    put(tmp_path / "photos" / "small.png", noise(20, 20, mode="L"))
    ran = ganglion("predict", "m.ganglion", tmp_path / "photos")
    assert ran.code == 0, ran.err
    head, *lines = ran.out.splitlines()
    assert head == "file,prediction,score,left,top,right,bottom"
    photos = read(tmp_path / "photos", size=(40, 40))
    found = gg.load("m.ganglion").predict(photos)
    assert len(lines) == sum(map(len, found)) > 0
    for each, name, scale in zip(found, ("small.png", "wide.png"), ([0.5] * 4, [10, 2, 10, 2]), strict=True):
        said = np.array([line.split(",")[3:] for line in lines if line.startswith(name)], dtype=float)
        limit = np.array([40.0] * 4) * scale
        np.testing.assert_allclose(said, np.clip(each.boxes * scale, 0, limit), rtol=1e-4, atol=1e-4)
    np.save(tmp_path / "x.npy", squares[:2])
    assert ganglion("predict", "m.ganglion", "x.npy").out.startswith("row,prediction,score,left")


def test_masks_are_written_beside_their_names(ganglion, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 16), dtype=np.uint8)
    gg.SegmentationCNN(channels=2, epochs=1, random_state=0).fit(images, images > 127).save("m.ganglion")
    put(tmp_path / "photos" / "a.png", noise(24, 32, mode="L"))
    assert ganglion("predict", "m.ganglion", tmp_path / "photos", "--out", "masks.npz").code == 0
    with np.load("masks.npz") as arrays:
        assert arrays["files"].tolist() == ["a.png"]
        assert arrays["prediction"].shape == (1, 12, 16)


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
