"""The package as a whole: its public names, what their import costs, and what their docstrings say."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import ganglion
from ganglion.options import options_of
from ganglion.registry import all_algorithms

HEAVY = ("torch", "sklearn", "pandas", "numpy", "scipy", "polars", "pyarrow", "narwhals", "safetensors")


def modules() -> list[str]:
    found = pkgutil.walk_packages(ganglion.__path__, "ganglion.")
    return ["ganglion", *(module.name for module in found if not module.name.endswith("__main__"))]


def public(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a module defines for others: functions, classes and their methods."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            yield f"{module.__name__}.{name}", value
            for part, method in vars(value).items():
                plain = method.fget if isinstance(method, property) else getattr(method, "__func__", method)
                if not part.startswith("_") and inspect.isfunction(plain):
                    yield f"{module.__name__}.{name}.{part}", plain
        elif callable(value) and hasattr(value, "__doc__"):
            yield f"{module.__name__}.{name}", inspect.unwrap(value)


EVERYTHING = {name: value for module in modules() for name, value in public(importlib.import_module(module))}


# names


def test_all_is_sorted_and_importable():
    assert ganglion.__all__ == sorted(ganglion.__all__, key=lambda name: (name.startswith("_"), name)) or (
        ganglion.__all__ == sorted(ganglion.__all__)
    )
    assert len(set(ganglion.__all__)) == len(ganglion.__all__)
    for name in ganglion.__all__:
        assert getattr(ganglion, name) is not None
    assert set(ganglion.__all__) == {*ganglion._HOMES, "__version__"}


def test_the_types_that_editors_see_are_the_names_that_run():
    tree = ast.parse(inspect.getsource(ganglion))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    seen = {alias.name: node.module for node in guarded.body for alias in node.names}
    assert seen == ganglion._HOMES


def test_the_public_surface_grows_on_purpose_only():
    assert set(ganglion.__all__) == {
        *(
            "AnomalyDetector",
            "CNNClassifier",
            "CNNRegressor",
            "Classifier",
            "Dataset",
            "Estimator",
            "MLPClassifier",
            "MLPRegressor",
            "MusicModel",
            "Objective",
            "OnnxModel",
            "Perceptron",
        ),
        *("Regressor", "Trainer", "__version__", "evaluate", "hyperparameters", "inspect", "load", "option", "read"),
        *(
            "DetectionCNN",
            "Diffusion",
            "Forecaster",
            "GAN",
            "LanguageModel",
            "SegmentationCNN",
            "SpeechRecognizer",
            "VisionTransformer",
            "select",
            "write_music",
        ),
        *("RNNClassifier", "RNNRegressor", "RNNTagger", "TextCNN", "TransformerClassifier", "TransformerRegressor"),
        *("Translator", "plot_augmentation", "plot_feature_maps", "plot_filters", "plot_gradients"),
        *("RBM", "DBN", "DBNClassifier"),
        *("Autoencoder", "VAE"),
        *("audit_data", "conformal", "debias", "reweigh", "trade_off"),
        *("audit", "audit_scores"),
        *("Comparison", "compare"),
        *("Counterfactuals", "Explanation", "Explanations"),
        *("counterfactual", "explain", "importance", "partial_dependence", "sanity"),
        *("Compression", "compress", "distil", "prune", "quantize", "shrink"),
        *("export", "monitor", "serve"),
    }
    assert dir(ganglion) == ganglion.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'ganglion' has no attribute 'MLPClasifier'"):
        ganglion.MLPClasifier  # noqa: B018


def test_every_algorithm_is_public():
    assert set(all_algorithms()) <= set(ganglion.__all__)


def test_the_version_is_that_of_the_distribution():
    assert importlib.metadata.version("ganglion") == ganglion.__version__


# what an import costs


@pytest.mark.parametrize(
    "module", ["ganglion", "ganglion.cli.main", "ganglion.registry", "ganglion.options", "ganglion.errors"]
)
def test_importing_imports_nothing_heavy(module):
    code = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == []


def test_the_help_of_the_command_line_imports_nothing_heavy():
    code = (
        "import sys, contextlib\n"
        "from ganglion.cli.main import run\n"
        "sys.argv = ['ganglion', '--help']\n"
        "with contextlib.suppress(SystemExit): run()\n"
        f"print('HEAVY', *(name for name in {HEAVY} if name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "train" in ran.stdout
    assert ran.stdout.split("HEAVY")[1].split() == []


def test_the_tables_extra_is_not_needed_for_arrays(tmp_path):
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('pandas', 'polars', 'pyarrow'))\n"  # None: as if they were not installed
        "import numpy as np, ganglion as gg\n"
        "X = np.random.default_rng(0).normal(size=(30, 2))\n"
        "gg.MLPClassifier(hidden=(2,), epochs=1).fit(X, X[:, 0] > 0).save('model')\n"
        "gg.load('model').predict({'x': X})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=tmp_path)


# docstrings


def test_every_module_says_what_it_is():
    found = []
    for module in modules():
        lines = (importlib.import_module(module).__doc__ or "").strip().splitlines()
        if lines and not lines[0].endswith((".", ":", "?")) and len(lines) == 1:
            found.append(f"{module}: {lines[0]!r} is no sentence")
        if not lines and module.count(".") != 1:  # a room's __init__ may be empty
            found.append(f"{module} has no docstring")
    assert not found


def test_everything_public_has_a_docstring():
    found = []
    for name, value in EVERYTHING.items():
        text = inspect.getdoc(value) or ""
        first = text.split("\n\n")[0].replace("\n", " ").strip()
        if len(text.split()) < 2:
            found.append(f"{name} has no docstring")
        elif first[-1] not in ".:?…":
            found.append(f"{name}: {first!r} is no sentence")
    assert not found


HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)


def section(text: str, title: str) -> str | None:
    """Return the body of a section of a numpydoc docstring, or None."""
    parts = HEADING.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return sections.get(title)


def documented(text: str, title: str) -> list[str] | None:
    body = section(text, title)
    if body is None:
        return None
    lines = [line for line in body.splitlines() if line and not line.startswith(" ")]
    return [name.strip().lstrip("*") for line in lines for name in line.split(" : ")[0].split(",")]


def signature_names(value: Any) -> list[str]:
    """Return the parameters of a function or a class, but for self."""
    return [name for name in inspect.signature(value).parameters if name not in ("self", "cls")]


def test_documented_parameters_are_those_of_the_signature():
    told = {name: documented(inspect.getdoc(value) or "", "Parameters") for name, value in EVERYTHING.items()}
    taken = {name: signature_names(EVERYTHING[name]) for name, found in told.items() if found}
    assert {name: sorted(told[name]) for name in taken} == {name: sorted(names) for name, names in taken.items()}


def test_the_check_of_parameters_can_fail():
    text = "Do.\n\nParameters\n----------\na, b : int\n    Numbers.\n**more\n    Others.\n\nReturns\n-------\nint\n"
    assert documented(text, "Parameters") == ["a", "b", "more"]
    assert documented(text, "Raises") is None
    assert sum(bool(section(inspect.getdoc(value) or "", "Parameters")) for value in EVERYTHING.values()) > 40


@pytest.mark.parametrize("name", all_algorithms())
def test_an_algorithm_documents_every_option_and_its_source(name):
    cls = all_algorithms()[name]
    text = inspect.getdoc(cls) or ""
    assert documented(text, "Parameters") == list(options_of(cls))
    assert section(text, "References")
    assert section(text, "Examples")
    module = inspect.getdoc(sys.modules[cls.__module__]) or ""
    assert re.search(r"\b(19|20)\d\d\b", module), "the paper's year"


@pytest.mark.parametrize(
    "name", [name for name in modules() if ">>>" in inspect.getsource(importlib.import_module(name))]
)
def test_examples_run(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.attempted > 0
    assert results.failed == 0


def test_there_are_examples():
    assert sum(">>>" in (inspect.getdoc(cls) or "") for cls in all_algorithms().values()) == len(all_algorithms())


def test_no_assert_and_no_print_in_the_library():
    """`assert` vanishes under -O, `print` belongs to the command line and to `verbose`."""
    found = []
    for name in modules():
        tree = ast.parse(inspect.getsource(importlib.import_module(name)))
        found += [f"{name}:{node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        prints = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
        if not name.startswith("ganglion.cli") and name != "ganglion.estimators.trained":
            found += [f"{name}:{node.lineno}" for node in prints]
    assert not found
