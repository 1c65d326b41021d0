"""Networks that answer a sequence with another: steps, batches and attention, of both kinds."""

import pytest
import torch

from ganglion.errors import InvalidParameter
from ganglion.networks.aligning import RecurrentPair
from ganglion.networks.decoder import TransformerPair
from ganglion.networks.encoder_decoder import BEGINNING, EncoderDecoder
from ganglion.networks.sequences import TokenInput
from ganglion.training.optimizers import AdamW
from ganglion.training.sharding import check_shardable

V = 11


def network(kind):
    torch.manual_seed(0)
    pair = RecurrentPair(8, 6, depth=2) if kind == "gru" else TransformerPair(8, 2, 2, hidden=16)
    return EncoderDecoder(TokenInput(V, 8, scale=0.4), pair, torch.nn.Identity()).double().eval()


def batch():
    tokens = torch.tensor([[4, 5, 6, 7], [8, 9, 0, 0], [5, 5, 5, 0]])
    target = torch.tensor([[6, 5, 3, 0, 0], [4, 4, 9, 10, 3], [7, 3, 0, 0, 0]])
    return {"tokens": tokens, "tokens_length": torch.tensor([4, 2, 3]), "target": target}


both = pytest.mark.parametrize("kind", ["transformer", "gru"])


@both
def test_steps_equal_the_whole(kind):
    model, given = network(kind), batch()
    whole = model.scores(given).log_softmax(-1)
    reading, last, found = model.read(given), torch.full((3,), BEGINNING), []
    for t in range(5):
        found.append(model.step(reading, last))
        last = given["target"][:, t]
    said = torch.stack(found, 1)[given["target"] != 0]
    torch.testing.assert_close(said, whole, rtol=0, atol=1e-12)


@both
def test_steps_go_on_with_some_samples_in_another_order(kind):
    model, given = network(kind), batch()
    rows, reading = torch.tensor([2, 0, 2]), model.read(given)
    model.step(reading, torch.full((3,), BEGINNING))
    reading.take(rows)
    went_on = model.step(reading, torch.tensor([4, 5, 6]))
    fresh = model.read({name: each[rows] for name, each in given.items()})
    model.step(fresh, torch.full((3,), BEGINNING))
    torch.testing.assert_close(went_on, model.step(fresh, torch.tensor([4, 5, 6])))


@both
def test_filling_changes_nothing(kind):
    model, given = network(kind), batch()
    parts = []
    for i in range(3):
        n, m = int(given["tokens_length"][i]), int((given["target"][i] != 0).sum())
        alone = {"tokens": given["tokens"][i : i + 1, :n], "target": given["target"][i : i + 1, :m]}
        parts.append(model.scores(alone | {"tokens_length": torch.tensor([n])}))
    torch.testing.assert_close(torch.cat(parts), model.scores(given), rtol=0, atol=1e-12)


@both
def test_no_token_of_an_answer_sees_itself_or_what_comes_later(kind):
    model, given = network(kind), batch()
    before = model.scores(given)[:3]
    given["target"][0, 1] = 9
    after = model.scores(given)[:3]
    torch.testing.assert_close(before[:2], after[:2])
    assert not torch.allclose(before[2], after[2])


@both
def test_attention_looks_at_the_source_alone(kind):
    model, given = network(kind), batch()
    looked = model.alignment(given)
    assert looked.shape == (3, 5, 4)
    torch.testing.assert_close(looked.sum(2), torch.ones(3, 5, dtype=torch.float64))
    assert (looked[1, :, 2:] == 0).all()


@both
def test_gradient(kind):
    model, given = network(kind), batch()
    weight = model.input.vectors.weight
    names = [name for name, _ in model.named_parameters()]
    gradients = torch.autograd.grad(model.scores(given).square().mean(), list(model.parameters()))
    assert all(gradient.abs().sum() > 0 for name, gradient in zip(names, gradients, strict=True) if "bias" not in name)
    slope, tiny = gradients[names.index("input.vectors.weight")][5, 2], 1e-6
    with torch.no_grad():
        weight[5, 2] += tiny
        above = model.scores(given).square().mean()
        weight[5, 2] -= 2 * tiny
        below = model.scores(given).square().mean()
    torch.testing.assert_close((above - below) / (2 * tiny), slope, rtol=1e-5, atol=1e-8)


def test_shared_vectors_are_not_cut_into_parts():
    with pytest.raises(InvalidParameter, match="share a parameter"):
        check_shardable(network("gru"), AdamW())
