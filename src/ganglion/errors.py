"""Every error and warning that Ganglion raises on purpose.

    GanglionError
    ├── InvalidParameter (ValueError)      an option of an estimator, a function or a command
    │   └── UnknownParameter (TypeError)   an option that does not exist
    ├── InvalidInput (ValueError)          data handed over in memory: shape, dtype, values
    │   └── UnsupportedType (TypeError)    data of a type that cannot be read at all
    ├── InvalidFile (ValueError)           a data file that cannot be read as what it claims to be
    │   └── InvalidModel                   a model file that is damaged, foreign or too new
    ├── ExportRefused (ValueError)         a model that cannot leave, or would answer differently elsewhere
    ├── SaveFailed (OSError)               a file could not be written; the old one is whole
    ├── MissingExtra (ImportError)         an optional package is needed
    ├── NotFitted (NotFittedError)         defined in `estimators.base`: it derives from scikit-learn's
    ├── TrainingDiverged (ArithmeticError) the loss is no number any more
    └── WorkerFailed (RuntimeError)        another of several workers failed, or cannot be reached

    GanglionWarning (UserWarning)
    ├── DataWarning                        something in the data deserves a look
    ├── ExplanationWarning                 an explanation is less exact than it should be
    └── TrainingWarning                    something about the training deserves a look

Each error also derives from the built-in that callers already catch. A message says what was given, what is
allowed, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GanglionError(Exception):
    """Base of every error that Ganglion raises on purpose."""


class InvalidParameter(GanglionError, ValueError):
    """An option has a value that is not allowed."""


class UnknownParameter(InvalidParameter, TypeError):
    """An option that does not exist was given."""


class InvalidInput(GanglionError, ValueError):
    """Data in memory cannot be used: its shape, type or values."""


class UnsupportedType(InvalidInput, TypeError):
    """Data has a type that cannot be read at all."""


class InvalidFile(GanglionError, ValueError):
    """A data file cannot be read as what it claims to be."""


class InvalidModel(InvalidFile):
    """A model file is damaged, is no model file, or is newer than this version."""


class ExportRefused(GanglionError, ValueError):
    """A model cannot be exported, or what was exported would give other answers. No file was written."""


class SaveFailed(GanglionError, OSError):
    """A file could not be written. What stood there before is whole."""


class MissingExtra(GanglionError, ImportError):
    """A package of an optional extra is needed and not installed."""


class TrainingDiverged(GanglionError, ArithmeticError):
    """The loss became NaN or infinite while training."""


class WorkerFailed(GanglionError, RuntimeError):
    """Another of the workers that train together failed, or cannot be reached."""


class GanglionWarning(UserWarning):
    """Base of every warning that Ganglion gives."""


class DataWarning(GanglionWarning):
    """Something in the data deserves a look before its results are believed."""


class ExplanationWarning(GanglionWarning):
    """An explanation does not add up to what the model says, or is less certain than it looks."""


class TrainingWarning(GanglionWarning):
    """Something about the training deserves a look before its results are believed."""


def suggestion(given: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known name, or nothing when none is near."""
    lower, names = str(given).lower(), {name.lower(): name for name in known}  # difflib counts case as another letter
    close = difflib.get_close_matches(lower, names, n=1)
    if not close and len(lower) > 2:  # the end may be missing
        close = [name for name in names if name.startswith(lower)]
    return f" Did you mean {names[close[0]]!r}?" if close else ""


def unknown_name(kind: str, given: str, known: Iterable[str]) -> InvalidParameter:
    """Return the error for a name that is not in a list of known ones."""
    names = sorted(known)
    return InvalidParameter(f"no {kind} is called {given!r}.{suggestion(given, names)} Known: {', '.join(names)}.")


def missing_extra(package: str, extra: str, purpose: str) -> MissingExtra:
    """Return the error for a package that only an extra brings, with the line that installs it."""
    return MissingExtra(f'{purpose} needs the package {package}. Install it with: pip install "ganglion[{extra}]"')
