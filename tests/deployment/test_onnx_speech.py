"""Recognizers of speech as graphs: the search of the original."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from ganglion.deployment.graph import traced
from ganglion.deployment.kind import CLOSE
from ganglion.deployment.kind_speech import SPEECH
from ganglion.deployment.signature import Input
from ganglion.networks.ctc import best_path, prefix_beam_search
from ganglion.networks.sequences import Steps


class Searching(nn.Module):
    """Scores and lengths → the tokens that a graph of so many beams finds."""

    sides = 0

    def __init__(self, beams):
        super().__init__()
        self.signature = SimpleNamespace(settings={"beams": beams})

    def forward(self, *inputs):
        scores, lengths = inputs
        network = SimpleNamespace(scores=lambda prepared: Steps(scores, lengths))
        return (SPEECH.said(network, {}, self.signature)["tokens"],)


N_TOKENS = 60


@pytest.mark.parametrize("beams", [1, 3])
def test_a_graph_searches_as_the_original(beams):
    inputs = (Input("scores", "sequence", "float32", ("N", "T", N_TOKENS)), Input("lengths", "length", "int64", ("N",)))
    session = onnxruntime.InferenceSession(traced(Searching(beams), inputs).SerializeToString())
    torch.manual_seed(0)
    for n, n_steps in ((1, 1), (4, 9), (9, 40)):  # of 40 steps all texts are less likely than e^-104, 0 in float32
        scores, lengths = torch.randn(n, n_steps, N_TOKENS), torch.randint(1, n_steps + 1, (n,))
        scores[:, :, 0] += 1.0
        lengths[0] = n_steps
        (said,) = session.run(None, {"code/0": scores.numpy(), "code/1": lengths.numpy()})
        own = best_path(scores, lengths) if beams == 1 else prefix_beam_search(scores, lengths, beams)[0]
        assert own.shape[1] > 1 or n_steps == 1
        assert said[:, : own.shape[1]].tolist() == own.tolist()
        assert not said[:, own.shape[1] :].any()


def test_transcripts_that_rounding_may_change_are_told():
    sure, even = np.array([[[0.02, 0, 0, 0, 0.96, 0.02]], [[0.02, 0, 0, 0, 0.49, 0.49]]], dtype=np.float32)
    stub = SimpleNamespace(token_probabilities=lambda X: [sure, even], predict=lambda X: np.array(["", ""]), beams=1)
    assert SPEECH.own(stub, None)[CLOSE].tolist() == [False, True]
    stub.beams = 4
    assert SPEECH.own(stub, None)[CLOSE].tolist() == [False, True]
