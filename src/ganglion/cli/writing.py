"""`ganglion sample`: what a saved model writes: texts to the screen, music to a file, or data (see `making`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.markup import escape

from ganglion.cli.making import make
from ganglion.cli.screen import say, shown_warnings

TOKENS, CHORDS, ROWS = 500, 64, 64  # to write, unless something else is asked for


def write(
    model: Path,
    prompt: str,
    *,
    length: int | None,
    temperature: float,
    text: dict[str, Any],
    out: Path | None,
    tempo: float,
    random_state: int | None,
    number: int | None = None,
    label: str | None = None,
) -> None:
    """Write with a model of texts or music, or make data; `text` is what only texts are asked with."""
    from ganglion.errors import InvalidInput, InvalidParameter
    from ganglion.estimators.artifact import load

    with shown_warnings():
        estimator: Any = load(model)
        if estimator.tags.task == "generation":
            _refuse(text | {"prompt": prompt, "length": length}, "texts and music", "this model makes rows or pictures")
            make(estimator, ROWS if number is None else number, out=out, label=label, random_state=random_state)
            return
        if not hasattr(estimator, "stream"):
            raise InvalidInput(
                f"{model.name} is a {type(estimator).__name__}, which makes nothing new. Give a file that was trained "
                "with VAE, LanguageModel or MusicModel, or ask this one with: ganglion predict MODEL DATA."
            )
        _refuse({"number": number, "label": label}, "models that make rows or pictures", "this one writes")
        how = {"temperature": temperature, "random_state": random_state}
        if estimator.tags.task == "music_modelling":
            _refuse(text, "texts", "this model writes music")
            _write_music(estimator, prompt, out, tempo, how | {"length": CHORDS if length is None else length})
            return
        if out is not None:
            raise InvalidParameter(
                "--out: for music alone; this model writes texts to the screen. Send them on with > FILE."
            )
        for piece in estimator.stream(prompt, length=TOKENS if length is None else length, **how, **text):
            sys.stdout.write(piece)
            sys.stdout.flush()
    sys.stdout.write("\n")


def _write_music(estimator: Any, prompt: str, out: Path | None, tempo: float, how: dict[str, Any]) -> None:
    """Write one piece to a file, or, without one, its chords to the screen, a line each."""
    from ganglion.data.chords import note_name
    from ganglion.data.music_files import check_music_name, write_music
    from ganglion.data.note_values import STEP

    if out is not None:
        check_music_name(out)  # before anything is written
    start = _piece(Path(prompt), estimator.encoder_.step) if prompt else None
    if out is None:
        for chord in estimator.stream(start=start, **how):
            sys.stdout.write((" ".join(map(note_name, chord)) or "-") + "\n")
        return
    write_music(out, estimator.sample(start=start, **how), step=estimator.encoder_.step or STEP, tempo=tempo)
    say(f"saved {escape(str(out))}")


def _piece(path: Path, step: str) -> Any:
    """Return the first piece of a file, read as the model reads."""
    from ganglion.data.chords import music_in
    from ganglion.data.read import read_as
    from ganglion.data.resizing import Reading

    return music_in(read_as(path, Reading(step=step)))[1].split()[0].numpy()


def _refuse(options: dict[str, Any], what: str, this: str) -> None:
    """Refuse options, where any is given, that are for other models."""
    from ganglion.errors import InvalidParameter

    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if given:
        raise InvalidParameter(f"{', '.join(given)}: for {what} alone; {this}. Leave it out.")
