"""Files of sound for tests."""

import io

import numpy as np

RATE = 4000


def tone(hertz=440.0, seconds=0.2, rate=RATE, loud=0.5):
    """Return a tone, (n,) float64 from -1 to 1."""
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def put(path, samples=None, rate=RATE, subtype=None):
    """Write a recording, a tone unless told otherwise, in the format that the name says."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    samples = tone(rate=rate) if samples is None else samples
    if subtype is None:
        samples = np.round(samples * 32767).astype(np.int16)  # what is read back is what was written
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def wav(samples, rate=RATE, subtype="PCM_16"):
    """Return the bytes of a WAV."""
    import soundfile

    raw = io.BytesIO()
    soundfile.write(raw, samples, rate, subtype=subtype, format="WAV")
    return raw.getvalue()
