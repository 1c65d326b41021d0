"""Recognizers of speech as graphs: the search of the original."""

from types import SimpleNamespace

import numpy as np
import onnxruntime
import torch
from torch import nn

from ganglion.deployment.graph import traced
from ganglion.deployment.kind import CLOSE
from ganglion.deployment.kind_speech import SPEECH
from ganglion.deployment.signature import Input
from ganglion.networks.ctc import best_path
from ganglion.networks.sequences import Steps


class Searching(nn.Module):
    """Scores and lengths → the tokens of the likeliest symbols."""

    sides = 0

    def forward(self, *inputs):
        scores, lengths = inputs
        network = SimpleNamespace(scores=lambda prepared: Steps(scores, lengths))
        return (SPEECH.said(network, {}, SimpleNamespace(settings={"beams": 1}))["tokens"],)


N_TOKENS = 6


def test_a_graph_of_one_beam_takes_the_best_path():
    inputs = (Input("scores", "sequence", "float32", ("N", "T", N_TOKENS)), Input("lengths", "length", "int64", ("N",)))
    session = onnxruntime.InferenceSession(traced(Searching(), inputs).SerializeToString())
    torch.manual_seed(0)
    for n, n_steps in ((1, 1), (4, 9), (9, 40)):
        scores, lengths = torch.randn(n, n_steps, N_TOKENS), torch.randint(1, n_steps + 1, (n,))
        lengths[0] = n_steps
        (said,) = session.run(None, {"code/0": scores.numpy(), "code/1": lengths.numpy()})
        own = best_path(scores, lengths)
        assert own.shape[1] > 1 or n_steps == 1
        assert said[:, : own.shape[1]].tolist() == own.tolist()
        assert not said[:, own.shape[1] :].any()


def test_transcripts_that_rounding_may_change_are_told():
    sure, even = np.array([[[0.02, 0, 0, 0, 0.96, 0.02]], [[0.02, 0, 0, 0, 0.49, 0.49]]], dtype=np.float32)
    stub = SimpleNamespace(token_probabilities=lambda X: [sure, even], predict=lambda X: np.array(["", ""]), beams=1)
    assert SPEECH.own(stub, None)[CLOSE].tolist() == [False, True]
    stub.beams = 4
    assert SPEECH.own(stub, None)[CLOSE].tolist() == [False, True]
