"""Spectrograms inside a graph: ONNX has an operator of its own for the Fourier transform, window by window."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganglion.networks.fourier import Fourier


class FourierOperator(Fourier):
    """The transform of a `Fourier`, as the operator that ONNX has for it."""

    whole: Tensor

    def __init__(self, original: Fourier) -> None:
        super().__init__(len(original.window), original.n_fft, original.hop)
        behind = self.n_fft - len(self.window)  # the operator's window is as long as the transform
        whole = nn.functional.pad(self.window, (behind // 2, behind - behind // 2))
        self.register_buffer("whole", whole, persistent=False)

    def _spectra(self, sound: Tensor) -> Tensor:
        n_steps = (sound.shape[1] - self.n_fft) // self.hop + 1
        return torch.onnx.ops.symbolic(
            "STFT",
            (sound[:, :, None], torch.tensor(self.hop), self.whole, torch.tensor(self.n_fft)),
            attrs={"onesided": 1},
            dtype=sound.dtype,
            shape=(sound.shape[0], n_steps, self.n_fft // 2 + 1, 2),
        )


def with_transforms(network: nn.Module) -> nn.Module:
    """Replace, in place, every Fourier transform of a network by one that can be exported, and return the network."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Fourier):
                setattr(parent, name, FourierOperator(child))
    return network
