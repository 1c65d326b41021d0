"""Explanations of four networks: how far they are from adding up to what is said, and whether five seeds agree."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.claims import Claim, Figure, Skipped, bootstrap_mean
from benchmarks.public import fashion_mnist, sst2
from ganglion.algorithms.cnn import CNNClassifier
from ganglion.algorithms.mlp import MLPClassifier
from ganglion.algorithms.rnn import RNNClassifier
from ganglion.algorithms.transformer import TransformerClassifier
from ganglion.data.public import find
from ganglion.data.read import read
from ganglion.errors import ExplanationWarning, InvalidFile
from ganglion.explanation.asking import Asked, kind_of
from ganglion.explanation.background import take_rows
from ganglion.explanation.entered import Entered, entered
from ganglion.explanation.explain import explain
from ganglion.explanation.explanation import Explanations
from ganglion.explanation.players import Players, answers
from ganglion.explanation.ranking import agreement
from ganglion.explanation.samples import cut_samples
from ganglion.explanation.split import Split
from ganglion.explanation.tables import table_of
from ganglion.networks.outputs import Softmax
from ganglion.networks.sequences import Steps

N, SEEDS, OF_PEERS = 50, 5, 20  # samples held out, seeds, and samples that the peers explain
SCORED = 1000  # samples held out that tell how good a network is
QUICK: dict[str, Any] = {"random_state": 0, "threads": 1}


@dataclass(frozen=True)
class Case:
    """A network that was trained, samples that it has not seen, and what stands in place of what is not known."""

    name: str
    model: Any
    X: Any
    accuracy: float
    background: Any = None


def claim() -> Claim:
    """Train four networks for a minute each, explain 50 held-out samples of each, and have the peers explain 20."""
    try:
        cases = [make() for make in (adult, fashion, lstm, transformer)]
    except InvalidFile as error:
        raise Skipped(str(error)) from error
    found, why_not = [_measured(case) for case in cases], _missing_peers()
    for case, each in zip(cases, found, strict=True):
        each["peers"] = {} if why_not else _peers(case)
    return Claim(
        name="explanation_gaps",
        data=f"{N} held-out samples each: Adult, Fashion-MNIST, SST-2 (test files).",
        settings="MLP (SiLU, LayerNorm), CNN (GELU), LSTM, Transformer (GELU, LayerNorm), a minute of training each. "
        f"Accuracy on {SCORED} held-out samples: {', '.join(f'{each.accuracy:.3f}' for each in cases)}. The gap is "
        "|base + values - said| of the probability of the predicted class, as a share of that probability's range over "
        "the samples and the background. Seeds: expected gradients, the background drawn anew where it is drawn; "
        f"interval of the mean over samples (bootstrap). {why_not or _settings_of_peers()}",
        reference="a promise of ours; DeepExplainer: Lundberg & Lee 2017; DeepLift: Shrikumar et al. 2017.",
        figures=[figure for case, each in zip(cases, found, strict=True) for figure in _figures(case, each)],
        details={case.name: each for case, each in zip(cases, found, strict=True)},
    )


def adult() -> Case:
    """10,000 rows of the training file."""
    train, test = (read(find(f"adult/adult.{part}"), target=-1) for part in ("data", "test"))
    some = train.take(np.sort(np.random.default_rng(0).permutation(len(train))[:10_000]))
    model = MLPClassifier(hidden=(64, 64), activation="silu", normalization="layer", epochs=8, **QUICK).fit(some)
    rows, labels = test.X_y()
    right = model.predict(rows.take(np.arange(SCORED))) == np.char.rstrip(labels[:SCORED].astype(str), ".")
    background, _ = some.X_y()
    X, known = take_rows(rows, _some(len(rows))), take_rows(background, np.arange(1000))
    return Case("MLP on Adult", model, X, float(right.mean()), known)


def fashion() -> Case:
    """4,000 of the training images."""
    images, labels, test, truth = fashion_mnist()
    model = CNNClassifier(channels=(16, 32), activation="gelu", epochs=3, **QUICK).fit(images[:4000], labels[:4000])
    accuracy = model.score(test[:SCORED], truth[:SCORED])
    return Case("CNN on Fashion-MNIST", model, test[_some(len(test))], accuracy, images[4000:4100])


def lstm() -> Case:
    """All training sentences."""
    return _reader("LSTM on SST-2", RNNClassifier(cell="lstm", width=32, embedding=32, epochs=3, **QUICK))


def transformer() -> Case:
    """All training sentences."""
    return _reader("Transformer on SST-2", TransformerClassifier(width=32, epochs=3, **QUICK))


def _reader(name: str, model: Any) -> Case:
    texts, labels = sst2("train")
    test, truth = sst2("test")
    accuracy = model.fit(texts, labels).score(test[:SCORED], truth[:SCORED])
    return Case(name, model, [test[i] for i in _some(len(test))], accuracy)


def _some(n: int) -> np.ndarray:
    return np.sort(np.random.default_rng(1).permutation(n)[:N])


def _measured(case: Case) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExplanationWarning)  # a gap is a figure here
        paths = explain(case.model, case.X, "integrated_gradients", background=case.background)
        runs = [
            explain(case.model, case.X, "expected_gradients", background=case.background, random_state=seed)
            for seed in range(SEEDS)
        ]
    gaps = np.concatenate([run.gaps for run in runs])
    return {
        "accuracy": case.accuracy,
        "integrated gradients": _gaps(paths.gaps),
        "expected gradients": _gaps(gaps),
        "agreement": [_agreement(runs, i) for i in range(len(case.X))],
    }


def _gaps(gaps: np.ndarray) -> dict[str, float]:
    return {"largest": float(gaps.max()), "mean": float(gaps.mean())}


def _agreement(runs: list[Explanations], i: int) -> float:
    """Return the mean rank correlation of sample i over all pairs of seeds."""
    pairs = itertools.combinations([run[i].values for run in runs], 2)
    return float(np.mean([agreement(*pair) for pair in pairs]))


def _figures(case: Case, found: dict[str, Any]) -> list[Figure]:
    beside = ", ".join(
        f"{name} {each['mean']:.0%}, up to {each['largest']:.0%}" for name, each in found["peers"].items()
    )
    figures = []
    for method in ("integrated gradients", "expected gradients"):
        worst, mean = found[method]["largest"], found[method]["mean"]
        name = f"{case.name}, {method}: largest gap (mean {mean:.2%})"
        figures.append(Figure(name, worst, worst, worst, target=0.01, paper=beside, lower_is_better=True))
    alike = float(np.mean(found["agreement"]))
    name = f"{case.name}: rank correlation of {SEEDS} seeds"
    return [*figures, Figure(name, alike, *bootstrap_mean(found["agreement"]), target=0.9)]


# the peers


def _missing_peers() -> str:
    """Return why the peers are not beside, or nothing if they can be imported."""
    name = "explainers"
    if not peers.installed(name):
        return f"The peers are not installed (python -m benchmarks.peers {name}), so that their gaps are missing."
    folder = peers.python(name).parents[1]
    sys.path += [str(each) for each in (*folder.glob("lib/python3*/site-packages"), folder / "Lib" / "site-packages")]
    try:
        import captum.attr  # noqa: F401
        import shap  # noqa: F401
    except ImportError as error:
        return f"The peers cannot be imported here ({error}), so that their gaps are missing."
    return ""


def _settings_of_peers() -> str:
    import captum
    import shap

    return (
        f"Peers: shap {shap.__version__} DeepExplainer and captum {captum.__version__} DeepLift on the same networks, "
        f"behind the input layer, {OF_PEERS} samples, against the same baselines (DeepLift: their mean), in float32; "
        "their gaps, mean and largest, are of the range over those samples and the background."
    )


def _peers(case: Case) -> dict[str, dict[str, float]]:
    """Return the gaps of the peers, by name."""
    import shap
    from captum.attr import DeepLift

    def deep_lift(network: nn.Module, z: Tensor, base: Tensor, targets: list[int]) -> np.ndarray:
        found = DeepLift(network).attribute(z, base.mean(0, keepdim=True).expand_as(z), target=torch.tensor(targets))
        return found.flatten(1).sum(1).detach().numpy()

    def deep_explainer(network: nn.Module, z: Tensor, base: Tensor, targets: list[int]) -> np.ndarray:
        found = np.asarray(shap.DeepExplainer(network, base).shap_values(z, check_additivity=False))
        return np.stack([found[i, ..., target].sum() for i, target in enumerate(targets)])

    groups = _entered(case)
    return {
        name: _gaps(np.concatenate([_gap(case, group, sums, mean=name == "DeepLift") for group in groups]))
        for name, sums in (("DeepExplainer", deep_explainer), ("DeepLift", deep_lift))
    }


class Answering(nn.Module):
    """A network behind its input layer, its last function a module, as the peers want to see it."""

    def __init__(self, model: Any, *, steps: bool) -> None:
        super().__init__()
        network = model.network_
        self.body, self.steps = network.body, steps
        self.classes = isinstance(network.output, Softmax)
        self.last = nn.Softmax(1) if self.classes else nn.Sigmoid()

    def forward(self, z: Tensor) -> Tensor:
        """Return probabilities, (n, classes)."""
        scores = self.body(Steps(z, torch.full((len(z),), z.shape[1])) if self.steps else z)
        return self.last(scores if self.classes else torch.cat([-scores, scores], 1))


def _entered(case: Case) -> list[Entered]:
    """Return the samples that the peers explain behind the input layer, with the baselines that we take."""
    model, kind = case.model, kind_of(case.model)
    X = take_rows(case.X, np.arange(OF_PEERS))
    if model.modality_ == "table":
        every: list[Players] = [table_of(model, kind, X, take_rows(case.background, np.arange(100)))]
    else:
        every = cut_samples(model, kind, model.modality_, X, case.background, None)
    said = [answers(each) for each in every]
    seen = np.concatenate([part for pair in said for part in pair])
    span = seen.max(axis=0) - seen.min(axis=0)
    asked = [Asked.of(model, kind, *pair, None, span) for pair in said]
    return entered(Split(model, kind), model, X, case.background, every, asked)


def _gap(case: Case, group: Entered, sums: Callable[..., np.ndarray], *, mean: bool) -> np.ndarray:
    """Return the gaps of a peer, of the predicted class of each sample."""
    network = Answering(case.model, steps=group.modality == "text").float().eval()
    z, base = group.z.float(), group.base[0].float()
    targets = [int(each.asked.predicted[each.row]) for each in group.places]
    with torch.no_grad():
        said, bases = network(z), network(base.mean(0, keepdim=True) if mean else base).mean(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of layers that the peers do not know: that is what is measured
        found = sums(network, z, base, targets)
    rows = range(len(targets))
    apart = np.array([float(said[i, t] - bases[t]) - float(found[i]) for i, t in zip(rows, targets, strict=True)])
    return np.abs(apart) / np.array([each.asked.span[t] for each, t in zip(group.places, targets, strict=True)])
