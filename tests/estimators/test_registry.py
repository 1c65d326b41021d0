"""Names of algorithms, and plugins that may be broken."""

import importlib.metadata
import warnings
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import ganglion as gg
from ganglion import registry
from ganglion.algorithms.mlp import MLPClassifier
from ganglion.algorithms.perceptron import Perceptron
from ganglion.checks import name_of as readable
from ganglion.errors import GanglionWarning, InvalidParameter
from ganglion.estimators.selection import TASKS
from ganglion.options import hyperparameters

BUILT_IN = sorted(registry.ALGORITHMS)


@hyperparameters
class Plugin(Perceptron):
    """An algorithm from somewhere else."""


@pytest.fixture
def plugins(monkeypatch):
    def install(**values):
        entries = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries if group == registry.GROUP else [])
        registry._plugins.cache_clear()

    yield install
    monkeypatch.undo()
    registry._plugins.cache_clear()


def test_names():
    assert registry.names() == BUILT_IN
    assert registry.all_algorithms()["Perceptron"] is Perceptron
    for spelling in ("MLPClassifier", "mlpclassifier", "mlp_classifier", "mlp-classifier", "MLP-Classifier"):
        assert registry.algorithm(spelling) is MLPClassifier


@pytest.mark.parametrize(("given", "near"), [("mlpclasifier", "MLPClassifier"), ("Perceptorn", "Perceptron")])
def test_unknown_names(given, near):
    with pytest.raises(
        InvalidParameter,
        match=f"no algorithm is called '{given}'. Did you mean '{near}'.*Known: AnomalyDetector, Autoencoder, ",
    ):
        registry.algorithm(given)


def test_every_algorithm_knows_its_name_and_is_public():
    for name, cls in registry.all_algorithms().items():
        assert registry.name_of(cls) == name == cls.__name__
        assert getattr(gg, name) is cls
        assert cls.tags.task in TASKS
    assert registry.name_of(Plugin) is None


def test_a_plugin_is_an_algorithm_like_any_other(plugins, tmp_path, monkeypatch):
    monkeypatch.setattr(registry.importlib.metadata, "x", 1, raising=False)
    plugins(Plugin="ganglion_plugin_of_this_test:Plugin")
    import sys
    import types

    module = types.ModuleType("ganglion_plugin_of_this_test")
    module.Plugin = Plugin
    monkeypatch.setitem(sys.modules, "ganglion_plugin_of_this_test", module)
    assert registry.algorithm("plugin") is Plugin
    assert "Plugin" in registry.names()
    X = np.random.default_rng(0).normal(size=(30, 2))
    model = Plugin(random_state=0).fit(X, X[:, 0] > 0)
    model.save(tmp_path / "m")
    loaded = gg.load(tmp_path / "m")
    assert type(loaded) is Plugin
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_broken_plugin_is_reported_and_left_out(plugins):
    plugins(Broken="no_such_module_at_all:Thing", Absent="ganglion.errors:NoSuchClass")
    with pytest.warns(
        GanglionWarning, match=r"plugin algorithm (Broken|Absent) .* cannot be loaded and is left out"
    ) as caught:
        assert registry.names() == BUILT_IN
    assert len(caught) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.names()  # once is enough


def test_a_plugin_cannot_take_the_name_of_our_own(plugins):
    plugins(Perceptron="ganglion.algorithms.mlp:MLPClassifier")
    assert registry.algorithm("Perceptron") is Perceptron


def test_the_group_is_the_one_that_the_docs_name():
    assert registry.GROUP == "ganglion.algorithms"
    assert importlib.metadata.entry_points(group=registry.GROUP) is not None
    assert readable(Perceptron()) == "Perceptron"
