"""What every estimator of recordings can be told: what it hears of sound, and how that is changed at random."""

from __future__ import annotations

from typing import Any

from ganglion.estimators.spec import Spec
from ganglion.networks.log_mel import LogMelInput, log_mel_by_name
from ganglion.networks.spec_augment import spec_augment_by_name
from ganglion.options import hyperparameters, option


@hyperparameters
class SoundOptions:
    """Options of algorithms that hear recordings."""

    spectrogram: Any = option(
        "log_mel",
        "What a network hears of recordings: log_mel(bands='auto', window=0.025, step=0.01, normalize='recording', "
        "floor=80, emphasis=0, trim=None, steps=None), in seconds and decibels; see `ganglion.networks.log_mel`. For "
        "single words of voices never heard: log_mel(floor=27, emphasis=0.97, trim=35, steps=32).",
        check=log_mel_by_name,
    )
    spec_augment: Any = option(
        "auto",
        "Random changes of spectrograms while training: spec_augment(masks=2, steps=0.1, bands=0.15, tempo=0.15, "
        "vocal_tract=0.12, pace=0, edges=0, floor=0), which is 'auto', or 'none'.",
        check=spec_augment_by_name,
    )

    def _hearing(self, spec: Spec) -> LogMelInput:
        """Return the first layer of networks that hear recordings."""
        return LogMelInput(
            spec.inputs.audio, log_mel_by_name(self.spectrogram), spec_augment_by_name(self.spec_augment)
        )
