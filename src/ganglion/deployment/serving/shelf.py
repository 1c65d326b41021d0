"""The models that are served: by name and version, and looked at again when their files change.

A changed file is loaded aside; only when that is whole does it take the place of the old one, and requests that the old
one has already keep it. A damaged new file changes nothing but what /health says.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganglion.deployment.onnx_model import OnnxModel
from ganglion.deployment.serving.backend import Backend
from ganglion.deployment.serving.onnx_backend import OnnxBackend
from ganglion.deployment.serving.refused import Refused
from ganglion.deployment.serving.served import Served
from ganglion.errors import GanglionError, InvalidParameter, suggestion

LOG = logging.getLogger("ganglion.serve")
Loader = Callable[[Any], Backend]
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def load_backend(given: Any, engine: str = "auto") -> Backend:
    """Return the backend that answers for a model.

    Parameters
    ----------
    given : Path or estimator
        A file that `train` or `export` wrote, or a fitted estimator.
    engine : "auto" or "torch"
        "auto" answers by onnxruntime wherever the model can be exported.

    Raises
    ------
    InvalidModel
        If the file is missing, damaged, or of a model that is not served.
    """
    if isinstance(given, Path) and given.suffix.lower() == ".onnx":
        return OnnxBackend(OnnxModel.load(given))
    return _of_estimator(given, engine)


def _of_estimator(given: Any, engine: str) -> Backend:
    """Return the backend of a fitted estimator or its file. An exported file needs none of what is imported here."""
    from ganglion.deployment.capability import why_not
    from ganglion.deployment.kinds import KINDS
    from ganglion.deployment.serving.exporting import exported, exported_from_memory
    from ganglion.deployment.serving.torch_backend import TorchBackend

    original = TorchBackend.load(given) if isinstance(given, Path) else TorchBackend(given)
    if engine == "torch":
        return original
    reason = why_not(original.model, KINDS)
    found = reason or (exported(given) if isinstance(given, Path) else exported_from_memory(given))
    if not isinstance(found, str):
        return OnnxBackend(found, original)
    original.note = f"answered by PyTorch: {found}"
    LOG.info("%s is %s", given.name if isinstance(given, Path) else type(given).__name__, original.note)
    return original


class Shelf:
    """Models by name, versions by number.

    Parameters
    ----------
    models : mapping of str to a sequence of paths or estimators
        Of each name its versions, oldest first.
    loader : callable
        Makes a backend of a path or an estimator.
    """

    def __init__(self, models: Mapping[str, Sequence[Any]], loader: Loader = load_backend) -> None:
        self._loader = loader
        self._models: dict[str, dict[str, Served]] = {}
        for name, versions in models.items():
            if not name or not set(name) <= _NAME or name.startswith("."):
                raise InvalidParameter(
                    f"a model cannot be called {name!r:.60}: names have letters, digits, '.', '_' and '-'. Give one as "
                    "NAME=FILE."
                )
            self._models[name] = {str(i): self._place(name, str(i), each) for i, each in enumerate(versions, start=1)}
        if not self._models:
            raise InvalidParameter("no model was given to serve. Give a file that `train` wrote.")

    def __iter__(self) -> Iterator[Served]:
        return (served for versions in self._models.values() for served in versions.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The models' names."""
        return tuple(self._models)

    def versions(self, name: str) -> tuple[str, ...]:
        """The versions of a model, oldest first."""
        return tuple(self._models[name])

    def find(self, name: str | None = None, version: str | None = None) -> Served:
        """Return a model: without a name the only one, without a version the newest.

        Raises
        ------
        Refused
            404 if there is none, or without a name several.
        """
        if name is None:
            if len(self._models) > 1:
                raise Refused(
                    404,
                    f"several models are served, so say which, as in /predict/{self.names[0]}: one of "
                    f"{', '.join(self.names)}.",
                )
            (name,) = self._models
        if name not in self._models:
            near = suggestion(name[:100], self.names)
            raise Refused(404, f"no model is called {name[:100]!r}.{near} There are: {', '.join(self.names)}.")
        versions = self._models[name]
        if version is None:
            return next(reversed(versions.values()))
        if version not in versions:
            raise Refused(404, f"{name} has no version {version[:40]!r}; it has {', '.join(versions)}.")
        return versions[version]

    def look_again(self) -> None:
        """Load the files that have changed, each aside, and let them take their places."""
        for served in self:
            if served.path is None:
                continue
            stamp = stamp_of(served.path)
            if stamp != served.stamp:
                self._renew(served, stamp)

    def _renew(self, served: Served, stamp: tuple[int, ...]) -> None:
        served.stamp = stamp
        path = served.path or Path()
        if not stamp:
            served.problem = f"{path} is gone; the model that was loaded from it goes on."
            LOG.warning("%s", served.problem)
            return
        try:
            served.backend = self._loader(path)
        except GanglionError as error:
            served.problem = f"the changed file was not taken, the old model goes on: {error}"
            LOG.warning("%s version %s: %s", served.name, served.version, served.problem)
            return
        served.problem = ""
        served.reloads += 1
        LOG.info("%s version %s: loaded anew from %s", served.name, served.version, path)

    def _place(self, name: str, version: str, given: Any) -> Served:
        if not isinstance(given, str | os.PathLike):
            return Served(name, version, None, (), self._loader(given))
        path = Path(given).expanduser()
        stamp = stamp_of(path)  # before it is read: what is written meanwhile is seen the next time
        return Served(name, version, path, stamp, self._loader(path))


def stamp_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does: time, size and place on the disk; nothing if there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def named(models: Any) -> dict[str, list[Any]]:
    """Return models by their names, and of each its versions, from what a user gave.

    Parameters
    ----------
    models : path, "NAME=path", estimator, a sequence of those, or a mapping of names to one or several of them
        A file without a name is called after itself; the same name again is the next version.
    """
    if isinstance(models, Mapping):
        return {str(name): list(each) if isinstance(each, list | tuple) else [each] for name, each in models.items()}
    found: dict[str, list[Any]] = {}
    for each in models if isinstance(models, list | tuple) else [models]:
        name, model = _named(each)
        found.setdefault(name, []).append(model)
    return found


def _named(given: Any) -> tuple[str, Any]:
    if not isinstance(given, str | os.PathLike):
        return type(given).__name__, given
    text = os.fspath(given)
    name, equals, path = text.partition("=")
    if equals and set(name) <= _NAME and not Path(text).exists():
        return name, path
    return Path(text).stem, text
