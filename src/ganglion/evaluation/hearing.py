"""What recordings sound like, for pages and for baselines: their spectrograms, and what these come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch

from ganglion.data.convert import as_dataset
from ganglion.data.dataset import Dataset
from ganglion.data.ragged import Ragged
from ganglion.drawing.pictures import sheet
from ganglion.drawing.spectrograms import pixels_of, spectrogram_chart
from ganglion.drawing.svg import Chart
from ganglion.errors import InvalidInput
from ganglion.evaluation.predictions import Array
from ganglion.networks.log_mel import LogMel, LogMelInput

SHOWN_BANDS, SUMMED_BANDS, PARTS = 80, 20, 3


def recordings_in(X: Any) -> Dataset | None:
    """Return X as a data set if it can be read as one of recordings."""
    try:
        data = as_dataset(X)
    except InvalidInput:
        return None
    return data if any(field.kind == "audio" for field in data.features) else None


def spectrograms_of(data: Dataset, rows: Array, words: Sequence[Sequence[tuple[str, float]]] = ()) -> list[Chart]:
    """Return the pictures of some recordings.

    Parameters
    ----------
    data : Dataset
        With a column of recordings.
    rows : ndarray of shape (k,), int64
    words : sequence of sequences of (str, float)
        What is said in each, and when, in seconds.
    """
    chosen = data.take(rows)
    rate, column = _recordings(chosen)
    charts = []
    for i, (row, (steps, _)) in enumerate(zip(rows.tolist(), _spectrograms(column, rate, SHOWN_BANDS), strict=True)):
        seconds = float(column.lengths[i]) / rate
        said = words[i] if len(words) else ()
        charts.append(spectrogram_chart(steps, seconds, rate / 2, f"Row {row}, {seconds:.2g} s", words=said))
    return charts


def summed_up(data: Dataset) -> Array:
    """Return what each recording comes to, (n, 81): its length, the mean of 20 bands in each third, their spread."""
    rate, column = _recordings(data)
    rows = []
    for steps, n_samples in _spectrograms(column, rate, SUMMED_BANDS):
        thirds = [part.mean(axis=0) if len(part) else steps.mean(axis=0) for part in np.array_split(steps, PARTS)]
        rows.append(np.concatenate([[n_samples / rate], *thirds, steps.std(axis=0)]))
    return np.array(rows)


def _recordings(data: Dataset) -> tuple[int, Ragged]:
    field = next(field for field in data.features if field.kind == "audio")
    return field.rate, cast(Ragged, data.columns[field.name])


def _spectrograms(column: Ragged, rate: int, bands: int) -> Iterator[tuple[Array, int]]:
    """Give the levels of each recording in its bands, (T, bands), and how many samples it has."""
    heard = LogMelInput(rate, LogMel(bands=bands))
    for samples in column.split():
        length = torch.tensor([len(samples)])
        yield heard.spectrogram(samples[None], length)[0].numpy(), len(samples)


def plot_hearing(
    model: Any, data: Dataset, *, n: int = 4, n_recordings: int = 4, random_state: int = 0
) -> Chart | None:
    """Draw spectrograms as a fitted network hears them and, beside each, as training changed them at random.

    Parameters
    ----------
    model : estimator
        Fitted on recordings.
    data : Dataset
        With a column of recordings.
    n, n_recordings : int
        How many changed ones of each, and of how many recordings, spread evenly over the data.
    random_state : int
        The same seed gives the same changes; the global generator is put back afterwards.

    Returns
    -------
    Chart or None
        None where nothing is changed.
    """
    heard = getattr(getattr(model, "network_", None), "input", None)
    if not isinstance(heard, LogMelInput) or heard.augment is None:
        return None
    chosen = data.take(np.linspace(0, len(data) - 1, min(n_recordings, len(data))).astype(np.int64))
    rows = []
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_state)
        for samples in model.encoder_.encode(chosen)["audio"].split():
            prepared = heard.prepare({"audio": samples[None], "audio_length": torch.tensor([len(samples)])})
            shown = [heard.eval()(prepared), *(heard.train()(prepared) for _ in range(n))]
            rows.append([pixels_of(each.x[0].float().numpy()) for each in shown])
            heard.eval()
    return sheet(rows, f"As it is, then changed at random by {heard.augment}", side=150)
