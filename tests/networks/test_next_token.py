"""Networks that say what comes next: nothing behind a token counts, and what was read need not be read again."""

import pytest
import torch
from torch import nn

from ganglion.networks.next_token import NextToken, RecurrentReader, TransformerReader

V, T = 11, 12


def transformer(*, tied=True, rotary=False):
    reader = TransformerReader(8, layers=2, heads=2, context=T, dropout=0.5, rotary=rotary)
    return NextToken(V, 8, reader, nn.Softmax(-1), tied=tied)


def recurrent(cell):
    reader = RecurrentReader(8, 6, layers=2, cell=cell, dropout=0.5)
    return NextToken(V, 8, reader, nn.Softmax(-1), tied=False, scale=1.0)


@pytest.fixture(params=["tied transformer", "transformer", "rotary transformer", "lstm", "gru"])
def network(request):
    torch.manual_seed(0)
    kind = request.param
    attends = "transformer" in kind
    made = transformer(tied="tied" in kind, rotary="rotary" in kind) if attends else recurrent(kind)
    for parameter in made.parameters():  # as far from the beginning as training may come
        nn.init.normal_(parameter, std=0.5)
    return made.eval()


def tokens(n=3, length=T):
    return torch.randint(V, (n, length), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_scores_depend_on_nothing_that_comes_later(network):
    one, other = tokens(), tokens()
    other[:, 7:] = (other[:, 7:] + 3) % V
    before = [network.scores({"tokens": each})[:, :7] for each in (one, other)]
    torch.testing.assert_close(*before, rtol=0, atol=0)


@torch.no_grad()
@pytest.mark.parametrize("cuts", [[1] * T, [5, 1, 1, 5], [T]])
def test_reading_on_equals_reading_at_once(network, cuts):
    given, known = tokens(), network.reader.begin()
    whole, seen = network.scores({"tokens": given}), 0
    for part in given.split(cuts, 1):
        seen += part.shape[1]
        torch.testing.assert_close(network.go_on(part, known), whole[:, seen - 1], rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_one_layer_of_a_transformer_is_the_formula():
    torch.manual_seed(0)
    network = NextToken(V, 4, TransformerReader(4, layers=1, heads=1, context=T, dropout=0), nn.Softmax(-1), tied=True)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    given = tokens(1, 5)
    block, norm = network.body.encoder.blocks[0], network.body.encoder.norm
    x = network.input.vectors.weight[given[0]] + network.body.places[:5]
    q, k, v = block.attention.project(block.first_norm(x)).split(4, 1)
    weights = (q @ k.T / 2).masked_fill(torch.ones(5, 5).triu(1).bool(), -torch.inf).softmax(1)
    x = x + block.attention.join(weights @ v)
    x = norm(x + block.mlp(block.second_norm(x)))
    expected = x @ network.input.vectors.weight.T
    torch.testing.assert_close(network.scores({"tokens": given})[0], expected, rtol=1e-5, atol=1e-5)
