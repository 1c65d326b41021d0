"""How much of each band of frequencies there is in sound, window by window.

    P_tk = |Σ_m w_m x_{tH+m} exp(-2πi km / N)|² / (Σ_m w_m)²          k = 0 … N/2, w a Hann window
    E_tb = Σ_k F_bk P_tk

Letters: n recordings, L samples, T steps, K frequencies, B bands, H samples from step to step, N samples of a
transform.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Fourier(nn.Module):
    """The short-time Fourier transform: samples (n, L) → E (n, T, B).

    Parameters
    ----------
    width : int
        Samples that a window hears; it stands in the middle of the N.
    n_fft : int
        N.
    hop : int
        H.
    """

    window: Tensor

    def __init__(self, width: int, n_fft: int, hop: int) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        # what follows from the arguments is kept out of weights files, which could hold anything
        window = torch.hann_window(width, dtype=torch.float64, device="cpu")
        self.register_buffer("window", window, persistent=False)

    def forward(self, sound: Tensor, bands: Tensor) -> Tensor:
        """Return E of float32 samples and F, (K, B), in float64; a last window that would not be full is left out.

        Quiet bands beside loud ones have few digits of float32 left, and others in every library: float64 has enough.
        """
        power = self._spectra(sound.double()).square().sum(-1) / self.window.sum().square()
        return power @ bands.double()

    def _spectra(self, sound: Tensor) -> Tensor:
        """Return real and imaginary parts of the spectra of float64 samples, (n, T, K, 2)."""
        found = torch.stft(
            sound,
            self.n_fft,
            self.hop,
            win_length=len(self.window),
            window=self.window,
            center=False,
            return_complex=True,
        )
        return torch.view_as_real(found).transpose(1, 2)
