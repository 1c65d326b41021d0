"""Folders, zips, tables and lists of pictures, laid out in every way that is known, and in some that are wrong."""

import json
import os
import shutil
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.data.pictures import classes, noise, png_claiming, put, raw

import ganglion as gg
from ganglion.data import image_files
from ganglion.data.public import find
from ganglion.data.read import like, read, read_as, read_test_part, reading_of
from ganglion.data.splits import duplicate_rows
from ganglion.errors import DataWarning, InvalidFile, InvalidInput, InvalidParameter, MissingExtra


def zipped(folder, path, around=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{around}{file.relative_to(folder).as_posix()}")
    return path


def files(data):
    return data.values("file").tolist()


@pytest.fixture
def decodings(tmp_path, monkeypatch):
    """Count how many pictures are decoded, with a cache that is empty."""
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path / "cache"))
    seen, decode = [], image_files.decode
    monkeypatch.setattr(image_files, "decode", lambda stream, form: seen.append(1) or decode(stream, form))
    return seen


@pytest.fixture(params=["folder", "zip", "zip of the folder"])
def packed(request, tmp_path):
    """Return a folder as it is, or zipped."""

    def pack(folder):
        around = f"{folder.name}/" if request.param == "zip of the folder" else ""
        return folder if request.param == "folder" else zipped(folder, tmp_path / "packed.zip", around)

    return pack


# a folder a class


def test_a_folder_a_class(tmp_path, packed):
    data = read(packed(classes(tmp_path / "pets")))
    assert files(data) == [f"{label}/{i}.png" for label in ("cats", "dogs") for i in range(4)]
    X, y = data.X_y()
    assert y.tolist() == ["cats"] * 4 + ["dogs"] * 4
    assert data.target == ("class",)
    assert data.index == ("file", "height", "width")
    assert [field.name for field in X.features] == ["image"]
    assert data.field("image").shape == (3, 12, 16)
    expected = np.asarray(noise(seed=2)).transpose(2, 0, 1) // 2
    np.testing.assert_array_equal(data.columns["image"][2].numpy(), expected)
    assert data.values("height").tolist() == [12.0] * 8


def test_names_of_all_kinds(tmp_path):
    for label in ("None", "Größe", "日本", "1"):
        put(tmp_path / "x" / label / "a b é 猫.PNG")
    data = read(tmp_path / "x")
    assert sorted(data.X_y()[1].tolist()) == ["1", "Größe", "None", "日本"]  # none of them means a missing value
    assert files(data)[-1] == "日本/a b é 猫.PNG"


def test_what_systems_leave_behind_is_not_seen(tmp_path, packed):
    pets = classes(tmp_path / "pets")
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "cats/desktop.ini",
        "cats/.hidden.png",
        ".git/x.png",
        "__MACOSX/cats/._0.png",
    ):
        (pets / name).parent.mkdir(parents=True, exist_ok=True)
        (pets / name).write_bytes(b"x")
    assert len(read(packed(pets))) == 8


def test_symbolic_links(tmp_path):
    pets = classes(tmp_path / "pets")
    elsewhere = put(tmp_path / "elsewhere" / "b.png").parent
    (pets / "birds").symlink_to(elsewhere, target_is_directory=True)
    (pets / "cats" / "again").symlink_to(pets, target_is_directory=True)  # a circle
    (pets / "cats" / "9.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.warns(DataWarning, match=r"1 of 10 pictures cannot be read: cats/9.png does not exist"):
        assert sorted(set(read(pets).X_y()[1])) == ["birds", "cats", "dogs"]


def test_deep_and_loose_files_are_told(tmp_path):
    pets = classes(tmp_path / "pets")
    put(pets / "dogs" / "small" / "x.png")
    put(pets / "loose.png")
    (pets / "dogs" / "notes.docx").write_bytes(b"x")
    with pytest.warns(DataWarning) as said:
        data = read(pets)
    assert data.X_y()[1].tolist() == ["cats"] * 4 + ["dogs"] * 5
    told = "\n".join(str(each.message) for each in said)
    assert "1 picture is beside the folders of the classes, so that no class is known, and left out: loose.png" in told
    assert "1 picture lies in a folder inside that of a class; the outermost folder counts as the class" in told
    assert (
        "1 file is of no kind that is read (JPEG, PNG, WebP, TIFF, BMP and GIF) and left out: dogs/notes.docx" in told
    )


def test_nothing_to_read(tmp_path):
    with pytest.raises(InvalidFile, match=r"without pictures or Parquet files; it holds nothing at all. Give one file"):
        read(tmp_path)
    for name in ("a.heic", "b.heic", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InvalidFile, match=r"it holds 2 .heic, 1 .txt"):
        read(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(InvalidFile, match=r"nothing at all"):
        read(tmp_path / "x.zip")


def test_one_class_is_refused_before_training(tmp_path):
    shutil.rmtree(classes(tmp_path / "pets", n=12) / "dogs")
    data = read(tmp_path / "pets")
    assert data.field("class").categories == ("cats",)
    with pytest.raises(InvalidInput, match=r"one class only, 'cats'"):
        gg.CNNClassifier(epochs=1).fit(data)


# damaged files


def test_damaged_files_are_listed_and_left_out(tmp_path, packed):
    pets = classes(tmp_path / "pets")
    (pets / "cats" / "cut.png").write_bytes(raw()[:150])
    (pets / "cats" / "text.jpg").write_bytes(b"no picture")
    (pets / "dogs" / "bomb.png").write_bytes(png_claiming(10_000, 10_000))
    (pets / "dogs" / "none.png").write_bytes(b"")
    pets = packed(pets)
    message = r"4 of 12 pictures cannot be read: cats/cut.png is cut.*; cats/text.jpg is no picture.*bomb.*none.png"
    for _ in range(2):  # decoded, and from the cache
        with pytest.warns(DataWarning, match=message):
            data = read(pets)
        assert data.X_y()[1].tolist() == ["cats"] * 4 + ["dogs"] * 4
        with pytest.raises(InvalidFile, match=f"{message}.*corrupt='skip' leaves them out"):
            read(pets, corrupt="refuse")


def test_nothing_but_damage(tmp_path):
    put(tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InvalidFile, match=r"none of the 1 pictures of .* can be read: a.png is no picture"):
        read(tmp_path)


def test_zips_that_cannot_be_trusted(tmp_path):
    pets = zipped(classes(tmp_path / "pets"), tmp_path / "pets.zip")
    (tmp_path / "cut.zip").write_bytes(pets.read_bytes()[:-40])
    with pytest.raises(InvalidFile, match=r"cut.zip is cut or damaged"):
        read(tmp_path / "cut.zip")
    content = pets.read_bytes()
    (tmp_path / "secret.zip").write_bytes(
        content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    )
    with pytest.raises(InvalidFile, match=r"protected by a password"):
        read(tmp_path / "secret.zip")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bmp", bytes(3 * 10**6))
    assert (tmp_path / "bomb.zip").stat().st_size < 10**4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganglion.data.file_tree.SMALL", 1000)
        with pytest.raises(InvalidFile, match=r"claims to unpack to 3,000,000 bytes, as a zip bomb does"):
            read(tmp_path / "bomb.zip")
        patch.undo()
        patch.setenv("GANGLION_MEMORY", "4")
        with pytest.raises(InvalidFile, match=r"a.bmp has 3,000,000 bytes unpacked, too many for memory"):
            read(tmp_path / "bomb.zip")


def test_pillow_is_asked_for(tmp_path, monkeypatch):
    classes(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        MissingExtra, match=r'needs the package pillow. Install it with: pip install "ganglion\[image\]"'
    ):
        read(tmp_path)


# sizes and channels


def test_mixed_sizes_are_brought_to_one(tmp_path):
    pets = classes(tmp_path / "pets", sizes=((12, 16), (24, 16)))
    with pytest.warns(
        DataWarning, match=r"12 to 24 pixels in height and 16 in width. They are brought to 18 × 16"
    ):
        data = read(pets)
    assert data.field("image").shape == (3, 18, 16)
    assert data.field("image").resize == "stretch"
    assert data.values("height").tolist() == [12.0, 24.0] * 4
    data = read(pets, size=(9, 9), resize="pad")  # as asked: nothing to tell
    assert data.field("image").shape == (3, 9, 9)
    assert data.columns["image"][1, :, :, 0].max() == 0  # 24 × 16 in 9 × 9 is 9 × 6


def test_mixed_channels(tmp_path):
    for name, image in (("a.png", noise(mode="L")), ("b.png", noise(mode="LA"))):
        put(tmp_path / name, image)
    assert read(tmp_path).field("image").shape == (1, 12, 16)
    assert read(tmp_path, channels=3).field("image").shape == (3, 12, 16)
    put(tmp_path / "c.png", noise(mode="RGBA"))
    put(tmp_path / "d.jpg", noise(mode="CMYK"))
    assert read(tmp_path).field("image").shape == (3, 12, 16)
    assert read(tmp_path, channels=1).field("image").shape == (1, 12, 16)


def test_one_deep_picture_makes_all_of_them_floats(tmp_path):
    put(tmp_path / "a.png", noise(mode="L"))
    put(tmp_path / "b.png", Image.fromarray(np.full((12, 16), 65535, dtype=np.uint16)))
    images = read(tmp_path).columns["image"].numpy()
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images[0, 0], np.asarray(noise(mode="L")))
    assert images[1].min() == images[1].max() == 255


def test_options_for_pictures_alone(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(InvalidParameter, match=r"size, resize and channels are for picture files, but t.csv holds"):
        read(tmp_path / "t.csv", size=(3, 4))


# the cache


def test_pictures_are_decoded_once(tmp_path, packed, decodings):
    pets = packed(classes(tmp_path / "pets", n=3))
    first = read(pets, size=(7, 5))
    assert len(decodings) == 6
    again = read(pets, size=(7, 5))
    assert len(decodings) == 6
    np.testing.assert_array_equal(first.columns["image"], again.columns["image"])
    read(pets, size=(7, 6))
    assert len(decodings) == 12


def test_a_changed_file_is_decoded_again(tmp_path, decodings):
    pets = classes(tmp_path / "pets", n=3)
    read(pets, size=(8, 8))
    (pets / "cats" / "0.png").rename(pets / "cats" / "00.png")  # the same pictures in the same order
    assert files(read(pets, size=(8, 8)))[0] == "cats/00.png"
    assert len(decodings) == 6
    put(pets / "cats" / "00.png", noise(seed=77))
    read(pets, size=(8, 8))
    assert len(decodings) == 12


def test_a_damaged_cache_is_made_again(tmp_path, decodings):
    pets = classes(tmp_path / "pets", n=3)
    expected = read(pets)
    (kept,) = (tmp_path / "cache" / "images").iterdir()
    content = bytearray(kept.read_bytes())
    content[5000] ^= 255
    kept.write_bytes(content)
    np.testing.assert_array_equal(read(pets).columns["image"], expected.columns["image"])
    assert len(decodings) == 12


def test_pictures_larger_than_memory_are_on_disk(tmp_path, monkeypatch):
    pets = classes(tmp_path / "pets", n=5)
    here = read(pets)
    monkeypatch.setenv("GANGLION_MEMORY", "0.03")
    there = read(pets)
    assert (here.is_on_disk, there.is_on_disk) == (False, True)
    np.testing.assert_array_equal(here.columns["image"], there.take(range(10)).columns["image"])


# tables


def table(tmp_path, text, name="labels.csv"):
    for i in range(4):
        put(tmp_path / "photos" / f"{i}.png", noise(seed=i))
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("shape", ["beside", "in a folder", "windows"])
def test_a_table_of_paths_and_labels(tmp_path, shape):
    start = {"beside": "photos/", "in a folder": "", "windows": "photos\\"}[shape]
    path = table(tmp_path, "path,kind\n" + "".join(f"{start}{i}.png,{'ab'[i % 2]}\n" for i in (3, 0, 1, 2)))
    for data in (read(path), read(tmp_path)):
        assert data.target == ("kind",)
        assert data.X_y()[1].tolist() == ["b", "a", "b", "a"]
        assert files(data) == [f"{start}{i}.png" for i in (3, 0, 1, 2)]
        np.testing.assert_array_equal(data.columns["image"][0], np.asarray(noise(seed=3)).transpose(2, 0, 1))


def test_a_table_in_a_zip(tmp_path):
    table(tmp_path / "x", "path\tage\nphotos/1.png\t2.5\nphotos/0.png\t3.5\n", "labels.tsv")
    data = read(zipped(tmp_path / "x", tmp_path / "x.zip"))
    assert data.X_y()[1].tolist() == [2.5, 3.5]
    assert files(data) == ["photos/1.png", "photos/0.png"]


def test_names_of_many_words(tmp_path):
    names = [f"a cat on the old mat {i}.png" for i in range(4)]
    for name in names:
        put(tmp_path / name)
    (tmp_path / "t.csv").write_text("".join(f"{name}\t{i}.5\n" for i, name in enumerate(names)))
    data = read(tmp_path / "t.csv")
    assert (files(data), data.X_y()[1].tolist()) == (names, [0.5, 1.5, 2.5, 3.5])


def test_absolute_paths_and_several_columns(tmp_path):
    path = table(tmp_path, "")
    path.write_text(f"age,image,file\n1,{tmp_path}/photos/1.png,x\n2,{tmp_path}/photos/2.png,y\n")
    data = read(path)
    assert data.target == ()
    assert data.names == ("image", "age", "file", "picture_file", "height", "width")
    assert data.index == ("picture_file", "height", "width")
    assert read(path, target="age").X_y()[1].tolist() == [1.0, 2.0]


def test_rows_that_cannot_be_used(tmp_path):
    path = table(tmp_path, "path,kind\nphotos/0.png,a\nphotos/no.png,a\nphotos/1.png,\n,b\nphotos/2.png,b\n")
    with pytest.warns(DataWarning) as said:
        data = read(path)
    assert files(data) == ["photos/0.png", "photos/1.png", "photos/2.png"]
    assert data.X_y()[1].tolist() == ["a", None, "b"]
    told = "\n".join(str(each.message) for each in said)
    assert "1 of 4 pictures cannot be read: photos/no.png does not exist" in told
    assert "1 rows of labels.csv name no picture and are left out" in told
    with pytest.raises(InvalidFile, match=r"no.png does not exist"):
        read(path, corrupt="refuse")


def test_labels_without_pictures(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("path,kind\na.png,a\nb.png,b\n")
    with pytest.raises(
        InvalidFile, match=r"none of the 2 pictures of labels.csv can be read: a.png does not exist; b.png"
    ):
        read(path)


def test_several_tables(tmp_path):
    table(tmp_path, "path,kind\n0.png,a\n1.png,b\n")
    table(tmp_path, "path,kind\n2.png,a\n", "more.csv")
    with pytest.raises(InvalidFile, match=r"holds several tables: labels.csv, more.csv. Leave one, or call them train"):
        read(tmp_path)
    for old, new in (("labels", "my_train"), ("more", "my-test")):
        (tmp_path / f"{old}.csv").rename(tmp_path / f"{new}.csv")
    assert len(read(tmp_path)) == 2
    assert files(read(tmp_path, part="test")) == ["2.png"]


# pictures alone


def test_pictures_without_labels(tmp_path):
    for i in range(3):
        put(tmp_path / "photos" / f"{i}.jpg")
    data = read(tmp_path / "photos")
    assert (data.target, data.index, files(data)) == ((), ("file", "height", "width"), ["0.jpg", "1.jpg", "2.jpg"])


def test_paths_of_pictures(tmp_path):
    paths = [put(tmp_path / "b" / "0.png"), put(tmp_path / "a.jpg")]
    assert files(read(paths)) == [str(path) for path in paths]
    assert files(read(str(paths[1]))) == [str(paths[1])]
    with pytest.raises(InvalidFile, match=r"does not exist"):
        read([paths[0], tmp_path / "c.png"])


# parts


def test_parts(tmp_path, packed):
    for i, part in enumerate(("train", "test", "Validation")):
        classes(tmp_path / "pets" / part, n=i + 1)
    pets = packed(tmp_path / "pets")
    assert sorted(files(read(pets)))[:2] == ["Validation/cats/0.png", "Validation/cats/1.png"]
    assert len(read(pets)) == 2 + 6
    assert files(read(pets, part="test")) == [f"test/{label}/{i}.png" for label in ("cats", "dogs") for i in (0, 1)]


def test_without_a_part_for_testing(tmp_path):
    classes(tmp_path / "pets")
    with pytest.raises(InvalidFile, match=r"pets has no part 'test'. Give folders train/ and test/"):
        read(tmp_path / "pets", part="test")
    classes(tmp_path / "parts" / "train", n=1)
    classes(tmp_path / "parts" / "val", n=2)
    assert [len(read(tmp_path / "parts", part=part)) for part in ("train", "test")] == [2, 4]


def test_folders_with_such_names_may_be_classes(tmp_path):
    for label in ("train", "bus"):
        put(tmp_path / label / "a.png")
    assert read(tmp_path).X_y()[1].tolist() == ["bus", "train"]


def test_the_part_for_testing_is_like_the_other(tmp_path):
    classes(tmp_path / "x" / "train", sizes=((12, 16), (20, 20)))
    for label in ("cats", "dogs"):
        put(tmp_path / "x" / "test" / label / "a.png", noise(30, 10, mode="L"))
    with pytest.warns(DataWarning, match=r"brought to 16 × 18"):
        data = read(tmp_path / "x")
    test = read_test_part(tmp_path / "x", data)
    assert test.field("image") == data.field("image")
    shutil.rmtree(tmp_path / "x" / "test")
    assert read_test_part(tmp_path / "x", data) is None
    put(tmp_path / "x" / "test" / "unlabelled.png")
    assert read_test_part(tmp_path / "x", data) is None


# masks


def with_masks(folder, mask_folder="masks", ending="", suffix=".png", n=3, palette=None):
    for i in range(n):
        put(folder / "images" / f"{i}.jpg", noise(seed=i))
        mask = Image.fromarray((np.asarray(noise(mode="L", seed=i)) > 127).astype(np.uint8) * (1 if palette else 255))
        if palette:
            mask = Image.fromarray(np.asarray(palette, dtype=np.uint8)[np.asarray(mask)])
        put(folder / mask_folder / f"{i}{ending}{suffix}", mask)
    return folder


@pytest.mark.parametrize(("mask_folder", "ending"), [("masks", ""), ("Labels", "_mask"), ("annotations", "-seg")])
def test_masks(tmp_path, packed, mask_folder, ending):
    data = read(packed(with_masks(tmp_path / "x", mask_folder, ending)))
    assert data.target == ("mask",)
    field = data.field("mask")
    assert (field.kind, field.shape, field.categories) == ("mask", (12, 16), ("0", "255"))
    expected = np.stack([np.asarray(noise(mode="L", seed=i)) > 127 for i in range(3)])
    np.testing.assert_array_equal(data.columns["mask"], expected)
    assert data.X_y()[1].dtype == np.uint8


def test_masks_of_colours_and_of_a_palette(tmp_path):
    data = read(with_masks(tmp_path / "colours", palette=[[255, 0, 0], [0, 0, 255]]))
    assert data.field("mask").categories == ("#0000ff", "#ff0000")
    expected = np.stack([np.asarray(noise(mode="L", seed=i)) <= 127 for i in range(3)])
    np.testing.assert_array_equal(data.columns["mask"], expected)
    put(tmp_path / "palette" / "images" / "a.png")
    numbers = Image.fromarray(np.full((12, 16), 7, dtype=np.uint8))
    numbers.putpalette(list(range(256)) * 3)
    put(tmp_path / "palette" / "masks" / "a.png", numbers)
    assert read(tmp_path / "palette").field("mask").categories == ("7",)


@pytest.mark.parametrize("resize", ["stretch", "crop", "pad"])
def test_masks_move_with_their_pictures(tmp_path, resize):
    white = np.zeros((40, 60), dtype=np.uint8)
    white[10:30, 20:40] = 255
    put(tmp_path / "images" / "a.png", Image.fromarray(white))
    put(tmp_path / "masks" / "a.png", Image.fromarray(white))
    data = read(tmp_path, size=(20, 20), resize=resize)
    image, mask = data.columns["image"][0, 0].numpy(), data.columns["mask"][0].numpy()
    assert ((image > 127) == mask).mean() > 0.97
    assert 30 < mask.sum() < 120


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: put(x / "masks" / "7.png", noise(mode="L")), "1 mask fits no picture by its name: 7.png"),
        (lambda x: put(x / "masks" / "1_mask.png", noise(mode="L")), "1 mask is the second of its picture: 1_mask.png"),
        (
            lambda x: put(x / "masks" / "1.png", noise(9, 9, mode="L")),
            r"1 of 3 masks fit no picture by size: .*9 × 9.*12 × 16",
        ),
        (lambda x: put(x / "masks" / "1.png", noise()), "more than 64 different colours.*JPEG blurs"),
    ],
)
def test_masks_that_fit_no_picture(tmp_path, change, message):
    change(with_masks(tmp_path / "x"))
    with pytest.raises(InvalidFile, match=message):
        read(tmp_path / "x")


def test_pictures_without_masks(tmp_path):
    with_masks(tmp_path / "x")
    put(tmp_path / "x" / "images" / "9.png")
    (tmp_path / "x" / "masks" / "1.png").write_bytes(b"nothing")
    with pytest.warns(DataWarning) as said:
        data = read(tmp_path / "x")
    told = "\n".join(str(each.message) for each in said)
    assert "1 picture has no mask and is left out: 9.png" in told
    assert "1 of 3 masks cannot be read: masks/1.png is no picture" in told
    assert files(data) == ["images/0.jpg", "images/2.jpg"]
    np.testing.assert_array_equal(data.columns["mask"][1], np.asarray(noise(mode="L", seed=2)) > 127)


def test_codes_of_masks_are_those_of_training(tmp_path):
    for part, values in (("train", (0, 100, 200)), ("test", (100, 200))):
        for i, value in enumerate(values):
            put(tmp_path / part / "images" / f"{i}.png")
            put(tmp_path / part / "masks" / f"{i}.png", Image.new("L", (16, 12), value))
    data = read(tmp_path)
    test = read_test_part(tmp_path, data)
    assert test.columns["mask"][:, 0, 0].tolist() == [1, 2]
    assert test.field("mask").categories == ("0", "100", "200")
    with pytest.raises(InvalidInput, match=r"hold the values 0, which those of .* do not: 100, 200"):
        like(data, read(tmp_path, part="test"))


# objects


def voc(boxes, name="a.png", size=(12, 16)):
    objects = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin><xmax>{r}</xmax><ymax>{b}</ymax>"
        "</bndbox></object>"
        for label, x, y, r, b in boxes
    )
    told = f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{told}{objects}</annotation>"


def with_objects(folder, sets=None):
    for i, name in enumerate("abc"):
        put(folder / "JPEGImages" / f"{name}.png", noise(seed=i))
        path = folder / "Annotations" / f"{name}.xml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(voc([("cat", 0, 0, 8, 6), ("dog", 4, 3, 16, 12)][:i], f"{name}.png"))
    for part, names in (sets or {}).items():
        path = folder / "ImageSets" / "Main" / f"{part}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(names))
    return folder


def test_pascal_voc(tmp_path, packed):
    data = read(packed(with_objects(tmp_path / "x")), size=(24, 16))
    assert data.field("boxes").categories == ("cat", "dog")
    none, one, two = data.X_y()[1]
    assert len(none) == 0
    assert one.boxes.tolist() == [[0, 0, 8, 12]]  # twice as high
    assert two.labels.tolist() == ["cat", "dog"]
    assert two.boxes.tolist()[1] == [4, 6, 16, 24]
    assert str(gg.inspect(data)).count("detection") == 1


def test_objects_that_are_cut_off_are_gone(tmp_path):
    data = read(with_objects(tmp_path / "x"), size=(4, 1), resize="crop")  # the middle: 6.5 to 9.5 of 16 are seen
    assert [each.labels.tolist() for each in data.X_y()[1]] == [[], ["cat"], ["cat", "dog"]]
    assert data.X_y()[1][2].boxes[1].tolist() == [0, 1, 1, 4]


def test_sets_of_pascal_voc(tmp_path):
    with_objects(tmp_path / "x", {"train": "a", "val": "b", "test": "c"})
    assert files(read(tmp_path / "x")) == ["JPEGImages/a.png", "JPEGImages/b.png"]
    assert files(read(tmp_path / "x", part="test")) == ["JPEGImages/c.png"]
    (tmp_path / "x" / "ImageSets" / "Main" / "test.txt").unlink()
    assert [files(read(tmp_path / "x", part=part))[0][-5] for part in ("train", "test")] == ["a", "b"]
    (tmp_path / "x" / "ImageSets" / "Main" / "val.txt").write_text("b -1\nz 1\n")
    with pytest.warns(DataWarning, match=r"1 name stands in ImageSets/Main without a file in Annotations: z"):
        assert len(read(tmp_path / "x", part="test")) == 1


def test_annotations_that_do_not_fit(tmp_path):
    folder = with_objects(tmp_path / "x")
    put(folder / "JPEGImages" / "d.png")
    (folder / "Annotations" / "e.xml").write_text(voc([], "e.png"))
    with pytest.warns(DataWarning) as said:
        assert len(read(folder)) == 3
    told = "\n".join(str(each.message) for each in said)
    assert "1 picture has no annotation and left out: JPEGImages/d.png" in told
    assert "1 of 4 pictures cannot be read: e.png does not exist" in told
    put(folder / "JPEGImages" / "a.png", noise(16, 12))
    (folder / "Annotations" / "e.xml").unlink()
    (folder / "JPEGImages" / "d.png").unlink()
    with pytest.raises(InvalidFile, match=r"annotation of .*a.png is of a picture 12 high and 16 wide, but it is 16"):
        read(folder, size=(12, 16))


def coco(names, boxes):
    return json.dumps(
        {
            "images": [{"id": i, "file_name": name, "height": 12, "width": 16} for i, name in enumerate(names)],
            "categories": [{"id": 7, "name": "cell"}],
            "annotations": [
                {"id": n, "image_id": i, "category_id": 7, "bbox": box} for n, (i, box) in enumerate(boxes)
            ],
        }
    )


@pytest.mark.parametrize("place", ["annotations/instances_train2017.json", "images/_annotations.coco.json", "x.json"])
def test_coco(tmp_path, packed, place):
    for i, name in enumerate("ab"):
        put(tmp_path / "x" / "images" / f"{name}.png", noise(seed=i))
    (tmp_path / "x" / place).parent.mkdir(exist_ok=True)
    (tmp_path / "x" / place).write_text(coco(["a.png", "b.png"], [(1, [2, 3, 4, 5])]))
    data = read(packed(tmp_path / "x"))
    assert [name[-5:] for name in files(data)] == ["a.png", "b.png"]
    none, one = data.X_y()[1]
    assert (len(none), one.boxes.tolist(), one.labels.tolist()) == (0, [[2, 3, 6, 8]], ["cell"])


def test_blood_cells():
    try:
        path = find("bccd/BCCD.zip")
    except InvalidFile as error:
        pytest.skip(str(error))
    with pytest.warns(DataWarning, match=r"left out: it is outside, or a side is no longer than a pixel"):
        train = read(path, size=(48, 64))
    test = read(path, part="test", size=(48, 64))
    assert (len(train), len(test)) == (292, 72)
    assert test.field("boxes").categories == ("Platelets", "RBC", "WBC")
    assert train.X_y()[1][0].boxes.shape == (len(train.X_y()[1][0].labels), 4)


# what walks over columns leaves the index alone


def test_equal_pictures_are_found_whatever_they_are_called(tmp_path):
    pets = classes(tmp_path / "pets")
    shutil.copy(pets / "cats" / "1.png", pets / "cats" / "x.png")
    data = read(pets)
    assert duplicate_rows(data).tolist() == [False] * 4 + [True] + [False] * 4
    found = gg.inspect(data)
    assert {each.check for each in found.findings} == {"rows", "duplicates"}  # nothing is said of the index
    assert duplicate_rows(data.drop(["class"]), read(pets / "dogs")).sum() == 4


def test_objects_count_when_rows_are_compared(tmp_path):
    folder = with_objects(tmp_path / "x")
    for name in "abc":
        put(folder / "JPEGImages" / f"{name}.png", noise())
    assert not duplicate_rows(read(folder)).any()
    for name in "abc":
        (folder / "Annotations" / f"{name}.xml").write_text(voc([("cat", 0, 0, 8, 6)], f"{name}.png"))
    assert duplicate_rows(read(folder)).tolist() == [False, True, True]


def test_masks_are_described(tmp_path):
    found = gg.inspect(with_masks(tmp_path / "x"))
    assert found.task.name == "segmentation"
    assert "12 × 16, 2 classes: " in str(found)


# a model of pictures


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = classes(tmp_path_factory.mktemp("pets"), n=6, sizes=((12, 16), (24, 20)))
    data = read(folder, size=(10, 8), resize="crop")
    return gg.CNNClassifier(channels=(4,), hidden=(), epochs=2, random_state=0, batch_size=4).fit(data), folder


def test_predict_takes_files_and_pictures_of_any_size(model, tmp_path):
    model, folder = model
    expected = model.predict_proba(read(folder, size=(10, 8), resize="crop").drop(["class"]))
    paths = [folder / label / f"{i}.png" for label in ("cats", "dogs") for i in range(6)]
    images = [Image.open(path) for path in paths]
    arrays = [np.asarray(image) for image in images]
    stack = list(read(folder, size=(10, 8), resize="crop").columns["image"].permute(0, 2, 3, 1).numpy())
    for X in (folder, str(folder), paths, list(map(str, paths)), images, arrays, tuple(arrays), stack):
        np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict_proba(images[3]), expected[3:4], rtol=1e-5)
    np.testing.assert_allclose(model.predict_proba([paths[0], images[1], arrays[2]]), expected[:3], rtol=1e-5)
    model.save(tmp_path / "m.ganglion")
    loaded = gg.load(tmp_path / "m.ganglion")
    assert loaded.encoder_ == model.encoder_
    assert reading_of(read(folder, size=(10, 8), resize="crop")) == loaded.encoder_.reading
    np.testing.assert_array_equal(loaded.predict_proba(folder), model.predict_proba(folder))


def test_every_file_needs_its_answer(model, tmp_path):
    put(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"nothing")
    with pytest.raises(InvalidFile, match=r"1 of 2 pictures cannot be read: b.png"):
        model[0].predict(tmp_path)
    with pytest.raises(InvalidFile, match=r"1 of 2 pictures cannot be read"):
        model[0].predict([tmp_path / "a.png", tmp_path / "b.png"])


@pytest.mark.parametrize("picture", [np.zeros((5, 5, 2)), np.zeros((0, 5)), np.full((4, 5), "x")])
def test_arrays_that_are_no_pictures(model, picture):
    with pytest.raises(InvalidInput, match=r"picture 1 is an array of shape"):
        model[0].predict([np.zeros((9, 9), np.uint8), picture])


def test_numbers_in_colour_and_channels_first(model):
    pixels = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    other = np.zeros((12, 12), np.uint8)
    ways = [pixels, pixels.transpose(2, 0, 1), pixels.astype(np.float64)]
    one, two, three = (model[0].predict_proba([way, other])[0] for way in ways)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, three, atol=0.02)  # not rounded to whole numbers


def test_a_stack_of_another_size_is_refused(model):
    with pytest.raises(InvalidInput, match=r"read\(path, size=\(10, 8\), resize='crop'\)"):
        model[0].predict(np.zeros((3, 12, 16, 3), np.uint8))


def test_fit_takes_pictures_too(tmp_path):
    images = [noise(seed=i) for i in range(8)]
    model = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0).fit(images, [0, 1] * 4)
    same = gg.CNNClassifier(channels=(4,), epochs=1, random_state=0).fit(
        np.stack([np.asarray(i) for i in images]), [0, 1] * 4
    )
    np.testing.assert_array_equal(model.predict_proba(images), same.predict_proba(images))


def test_a_table_does_not_mind_how_pictures_are_read(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert read_as(tmp_path / "t.csv", reading_of(read(put(tmp_path / "a.png")))).names == ("a", "b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / "b.png").chmod(0)
    with pytest.warns(DataWarning, match=r"b.png cannot be read .Permission denied"):
        assert len(read(tmp_path)) == 1
