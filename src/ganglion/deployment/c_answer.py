"""The C code from scores to the answer: probabilities and the place of the class, or numbers."""

from __future__ import annotations

from torch import nn

from ganglion.deployment.c_code import number
from ganglion.deployment.signature import Signature
from ganglion.errors import ExportRefused
from ganglion.networks import outputs


def n_outputs(signature: Signature) -> int:
    """Return how many numbers an answer has."""
    shapes = [each.shape for each in signature.outputs if each.role != "label"]
    return sum(int(shape[1]) if len(shape) > 1 else 1 for shape in shapes)


def answer(signature: Signature, layer: nn.Module, scores: str) -> str:
    """Return the code from scores to outputs, and to what is returned: the place of the class.

    Parameters
    ----------
    signature : Signature
    layer : Module
        The network's output layer.
    scores : str
        The name of the buffer that has the scores.
    """
    n = len(signature.classes)
    if signature.output("scores"):
        count = 1 if n == 2 else n
        lines = f"    for (int i = 0; i < {count}; i++) outputs[i] = (double){scores}[i];\n"
        return lines + (f"    return {scores}[0] > 0;\n" if n == 2 else _largest(n))
    if isinstance(layer, outputs.Bernoulli):
        return (
            f"    outputs[0] = 1 / (1 + exp((double){scores}[0]));\n"
            f"    outputs[1] = 1 / (1 + exp(-(double){scores}[0]));\n"
            f"    return {scores}[0] > 0;\n"
        )
    if isinstance(layer, outputs.Softmax):
        return (
            f"    double most = (double){scores}[0], sum = 0;\n"
            f"    for (int i = 1; i < {n}; i++) if ((double){scores}[i] > most) most = (double){scores}[i];\n"
            f"    for (int i = 0; i < {n}; i++) sum += outputs[i] = exp((double){scores}[i] - most);\n"
            f"    for (int i = 0; i < {n}; i++) outputs[i] /= sum;\n" + _largest(n)
        )
    if isinstance(layer, outputs.Sigmoid):
        return (
            f"    int above = 0;\n    for (int i = 0; i < {n}; i++) {{\n"
            f"        outputs[i] = 1 / (1 + exp(-(double){scores}[i]));\n        above += {scores}[i] > 0;\n    }}\n"
            "    return above;\n"
        )
    return _number_answer(layer, scores, n_outputs(signature))


def _largest(n: int) -> str:
    search = f"    for (int i = 1; i < {n}; i++) if (outputs[i] > outputs[best]) best = i;\n"
    return f"    int best = 0;\n{search}    return best;\n"


def _number_answer(layer: nn.Module, scores: str, n: int) -> str:
    if isinstance(layer, outputs.Exponential):
        return f"    for (int i = 0; i < {n}; i++) outputs[i] = exp((double){scores}[i]);\n    return 0;\n"
    if not isinstance(layer, outputs.Rescale):
        raise ExportRefused(f"the output layer {type(layer).__name__} has no C code. Export to .onnx.")
    mean, deviation = layer.mean.tolist(), layer.deviation.tolist()
    lines = [
        f"    outputs[{i}] = (double){scores}[{i}] * {number(d, 'double')} + {number(m, 'double')};\n"
        for i, (m, d) in enumerate(zip(mean, deviation, strict=True))
    ]
    if isinstance(layer, outputs.RescaleNormal):
        lines += [
            f"    outputs[{len(mean) + i}] = exp((double){scores}[{len(mean) + i}] / 2) * {number(d, 'double')};\n"
            for i, d in enumerate(deviation)
        ]
    return "".join(lines) + "    return 0;\n"
