"""`ganglion sample`: what a saved model writes, texts to the screen and music to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.markup import escape

from ganglion.cli.screen import say, shown_warnings

TOKENS, CHORDS = 500, 64  # to write, unless something else is asked for


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
) -> None:
    """Write with a model of texts or music; `text` is what only texts are asked with."""
    from ganglion.errors import InvalidInput, InvalidParameter
    from ganglion.estimators.artifact import load

    with shown_warnings():
        estimator: Any = load(model)
        if not hasattr(estimator, "stream"):
            raise InvalidInput(
                f"{model.name} is a {type(estimator).__name__}, which writes no texts. Give a file that was trained "
                "with LanguageModel or MusicModel, or ask this one with: ganglion predict MODEL DATA."
            )
        how = {"temperature": temperature, "random_state": random_state}
        if estimator.tags.task == "music_modelling":
            _refuse_of_texts(text)
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
    from ganglion.data.chords import STEP, note_name
    from ganglion.data.music_files import check_music_name, write_music

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


def _refuse_of_texts(text: dict[str, Any]) -> None:
    from ganglion.errors import InvalidParameter

    given = [f"--{name.replace('_', '-')}" for name, value in text.items() if value]
    if given:
        raise InvalidParameter(f"{', '.join(given)}: for texts alone; this model writes music. Leave it out.")
