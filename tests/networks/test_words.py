"""The first layer of networks that read words."""

import torch

from ganglion.networks.words import WordInput


def test_a_word_is_the_sum_of_the_vectors_of_its_features():
    torch.manual_seed(0)
    layer = WordInput(9, 3, 4)
    ids = torch.tensor([[[2, 5, 0], [1, 0, 7]], [[3, 4, 6], [0, 0, 0]]], dtype=torch.int32)
    read = layer({"words": ids, "words_length": torch.tensor([2, 1])})
    table = layer.vectors.weight
    torch.testing.assert_close(read.x[0, 0], table[2] + table[5])
    torch.testing.assert_close(read.x[0, 1], table[1] + table[7])
    torch.testing.assert_close(read.x[1, 0], table[3] + table[4] + table[6])
    assert (read.x[1, 1] == 0).all()  # filling
    assert read.lengths.tolist() == [2, 1]


def test_the_vectors_of_a_word_have_a_deviation_of_about_one():
    torch.manual_seed(0)
    layer = WordInput(5000, 9, 64)
    read = layer({"words": torch.randint(1, 5000, (20, 30, 9)), "words_length": torch.full((20,), 30)})
    assert abs(read.x.detach().std().item() - 1) < 0.05


def test_nothing_has_no_vector_and_gets_none():
    layer = WordInput(9, 3, 4)
    read = layer({"words": torch.zeros(1, 2, 3, dtype=torch.int32), "words_length": torch.tensor([2])})
    (slope,) = torch.autograd.grad(read.x.sum(), layer.vectors.weight)
    assert (read.x == 0).all()
    assert (slope == 0).all()
