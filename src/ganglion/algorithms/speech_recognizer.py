"""Speech recognition by connectionist temporal classification: what was said, without being told when.

    z      = log-mel spectrogram                                   a step each 10 ms: `networks.log_mel`
    h      = BiRNN(Convolutions(z))                                every second step: `networks.listening`
    y^t    = softmax(W h_t + b)                                    a symbol, or the blank, at every step
    p(l|x) = Σ_{π: B(π) = l} Π_t y^t_{π_t}                         all paths that are the text l       (eq. 3)
    loss   = -1/m Σ ln p(l|x)                                      over the training set              (eq. 12)

B joins repeats and drops blanks; m is the mean number of symbols of a transcript. Decoding is by the best path or a
prefix beam: `networks.ctc`.

Graves, Fernández, Gomez & Schmidhuber 2006, "Connectionist temporal classification: labelling unsegmented sequence data
with recurrent neural networks", ICML. Differs: log-mel bands in place of cepstral coefficients, convolutions in front
and batch normalisation in them (Amodei et al. 2016, arXiv:1512.02595), AdamW, and SpecAugment (Park et al. 2019) in
place of noise on the inputs.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from ganglion.estimators.base import Tags
from ganglion.estimators.recognizer import Recognizer
from ganglion.estimators.spec import Spec
from ganglion.networks.listening import ConvolutionFront, Listener
from ganglion.networks.network import Network
from ganglion.networks.recurrent import Recurrent
from ganglion.options import hyperparameters, option


@hyperparameters
class SpeechRecognizer(Recognizer):
    """Recordings to texts, by CTC: convolutions and recurrent layers over log-mel spectrograms.

    Reads paths of recordings, pairs (rate, samples), and what `read` makes of a folder with a table of transcripts.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> time = np.arange(2000) / 4000
    >>> tones = {"low": np.sin(6.28 * 300 * time) * (time < 0.3), "high": np.sin(6.28 * 900 * time) * (time < 0.3)}
    >>> y = [" ".join(rng.choice(list(tones), size=n)) for n in rng.integers(1, 4, 60)]
    >>> X = [(4000, np.concatenate([tones[word] for word in text.split()])) for text in y]
    >>> model = SpeechRecognizer(tokenizer="words", width=8, layers=1, epochs=2, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (60,)

    References
    ----------
    Graves, Fernández, Gomez & Schmidhuber 2006. Amodei et al. 2016, arXiv:1512.02595. Park et al. 2019,
    arXiv:1904.08779.
    """

    cell: Literal["elman", "gru", "lstm"] = option("lstm", "What a recurrent unit is; lstm and gru have gates.")
    width: int = option(128, "Units of each recurrent layer and direction.", at_least=1)
    layers: int = option(2, "Recurrent layers, each reading what the one below made, from both ends.", at_least=1)
    channels: int = option(32, "Channels of both convolutions.", at_least=1)
    dropout: float = option(0.2, "Share of the units silenced in training, around the layers.", at_least=0, below=1)

    tags: ClassVar[Tags] = Tags(task="speech_recognition", modalities=("audio",), preferred_for=("audio",))

    def build(self, spec: Spec) -> Network:
        """Return spectrogram, convolutions, recurrent layers and scores of each step for recordings like `spec`."""
        entry = self._hearing(spec)
        front = ConvolutionFront(entry.n_out, self.channels, self.width, self.subsampling)
        cells = Recurrent(
            front.join.out_features,
            self.width,
            layers=self.layers,
            cell=self.cell,
            bidirectional=True,
            dropout=self.dropout,
            forget_bias=0.0,  # letters last a few steps; with open gates they were found about 1.5 times as late
        )
        return Network(entry, Listener(front, cells, spec.n_scores, self.dropout), spec.output)
