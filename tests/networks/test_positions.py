"""Places: the equations, and what each kind promises."""

import math

import pytest
import torch

from ganglion.errors import InvalidInput
from ganglion.networks.attention import Encoder, Kept, SelfAttention, causal
from ganglion.networks.positions import Positions, rotated, sinusoids


def test_sinusoids_are_those_of_the_paper():
    waves = sinusoids(7, 6)
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert math.isclose(waves[t, 2 * i].item(), math.sin(angle), abs_tol=1e-6)
            assert math.isclose(waves[t, 2 * i + 1].item(), math.cos(angle), abs_tol=1e-6)
    torch.testing.assert_close(sinusoids(4, 6, first=3), waves[3:])
    assert sinusoids(3, 5).shape == (3, 5)


def test_a_turned_product_depends_on_the_distance_alone():
    """Su et al. 2021, eq. 16: ⟨R_m q, R_n k⟩ is a function of q, k and m - n."""
    torch.manual_seed(0)
    q, k = torch.randn(2, 8, dtype=torch.float64)
    of_q, of_k = (rotated(each.expand(1, 1, 9, 8)) for each in (q, k))
    products = (of_q @ of_k.transpose(-2, -1))[0, 0]
    for distance in range(-8, 9):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert products[0, 1].item() != pytest.approx(products[0, 2].item())
    torch.testing.assert_close(of_q.norm(dim=-1), q.norm().expand(1, 1, 9))
    torch.testing.assert_close(rotated(of_q[:, :, :1]), of_q[:, :, :1])  # place 0 is not turned
    torch.testing.assert_close(rotated(q.expand(1, 1, 2, 8), first=5), of_q[:, :, 5:7])


def test_rotary_attention_goes_on_behind_what_was_kept():
    torch.manual_seed(0)
    encoder, x = Encoder(8, 2, 2, hidden=16, rotary=True).double(), torch.randn(1, 6, 8, dtype=torch.float64)
    whole = encoder(x, causal(6))
    kept = [Kept(), Kept()]
    parts = [encoder(x[:, :4], causal(4), kept), encoder(x[:, 4:], causal(2, 4), kept)]
    torch.testing.assert_close(torch.cat(parts, 1), whole)


def test_rotary_attention_knows_the_order():
    torch.manual_seed(0)
    x = torch.randn(1, 5, 8)
    plain, rotary = SelfAttention(8, 2), SelfAttention(8, 2, rotary=True)
    back = torch.arange(4, -1, -1)
    torch.testing.assert_close(plain(x)[:, back], plain(x[:, back]))
    assert not torch.allclose(rotary(x)[:, back], rotary(x[:, back]), atol=1e-3)


def test_learned_places_begin_as_waves_and_end():
    learned, x = Positions("learned", 6, 4), torch.zeros(2, 4, 6)
    torch.testing.assert_close(learned(x)[1], sinusoids(4, 6))
    torch.testing.assert_close(learned(x[:, :1], first=3)[0], sinusoids(1, 6, first=3))
    assert [each.shape for each in learned.parameters()] == [(4, 6)]
    with pytest.raises(InvalidInput, match=r"5 steps was given, but vectors of places were learned for 4.*sinusoidal"):
        learned(torch.zeros(2, 5, 6))
    for endless in (Positions("sinusoidal", 6, 4), Positions("rotary", 6, 4)):
        assert endless(torch.zeros(2, 5, 6)).shape == (2, 5, 6)
        assert not list(endless.parameters())


def test_far_places_are_told_apart_in_few_digits():
    """The angle of place 200 has no half in bfloat16: it must be rounded after the sine, not before."""
    x = torch.ones(1, 1, 201, 4)
    torch.testing.assert_close(rotated(x.bfloat16()).float(), rotated(x), atol=0.02, rtol=0)
