"""`ganglion compare`: the board on the screen, as JSON, and as a page."""

import json

import ganglion as gg


def test_compare(ganglion, people, tmp_path):
    asked = ("--models", "mlp,perceptron", "--set", "epochs=2", "--repeats", 1, "--no-curve")
    ran = ganglion("compare", people, "-t", "rich", *asked, "--report", "board.html")
    assert ran.code == 0, ran.err
    assert "MLPClassifier, Perceptron" in ran.err
    assert "fold 1 of 5; about" in ran.err
    assert "behind" in ran.out
    assert "logistic regression" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "How they were compared" in (tmp_path / "board.html").read_text()
    found = json.loads(ganglion("compare", people, "-t", "rich", *asked, "--json").out)
    models = [gg.MLPClassifier(epochs=2, random_state=0), gg.Perceptron(epochs=2, random_state=0)]
    data = gg.read(people, target="rich")
    ours = gg.compare(models, data, n_repeats=1, learning_curve=False, progress=False)
    assert [each["score"] for each in found["entries"]] == [
        json.loads(ours.to_json())["entries"][k]["score"] for k in range(5)
    ]


def test_what_suits_is_compared_where_nothing_is_named(ganglion, people):
    settings = ("--set", "hidden=2", "--set", "epochs=1", "--cv", "time", "--drop", "age", "--metric", "log_loss")
    found = json.loads(ganglion("compare", people, "-t", "rich", *settings, "--json").out)
    assert {each["name"] for each in found["entries"] if not each["is_baseline"]} == {"MLPClassifier"}
    assert found["metric"]["name"] == "log_loss"
    assert any("No learning curve" in note for note in found["notes"])


def test_what_is_refused(ganglion, people):
    for words, said in (
        (("-m", "mpl"), "Known:"),
        (("-m", "autoencoder"), "Autoencoder does"),
        (("-s", "epoch=1"), "Did you mean 'epochs'"),
        (("--metric", "acc"), "no such metric"),
        (("--cv", "later"), "cv='later'"),
        (("--report", "nowhere/x.html"), "does not exist"),
    ):
        ran = ganglion("compare", people, "-t", "rich", "--set", "epochs=1", "--no-baselines", *words)
        assert ran.code in (1, 2), words
        assert said in " ".join(ran.err.split()), ran.err
