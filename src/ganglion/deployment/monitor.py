"""`monitor`: what has changed since training, from a server's log or from the server itself."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ganglion.data.summary import Summary, summary_from_json
from ganglion.deployment.drift import Counts, Drift, drift_of
from ganglion.deployment.tally import added, from_json
from ganglion.errors import InvalidFile, InvalidModel, InvalidParameter

TOKEN = "GANGLION_TOKEN"
_MOST_BYTES = 64 * 2**20  # of a server's answer
_TIMEOUT_S = 30
_DAMAGE = (AttributeError, KeyError, TypeError, ValueError)


def monitor(source: str | os.PathLike[str], *, hours: float | None = None, token: str | None = None) -> list[Drift]:
    """Compare what models were asked with what they were trained on.

    Parameters
    ----------
    source : path-like or str
        A log that `ganglion serve --log FILE` keeps, or the address of a running server, "http://127.0.0.1:8000".
    hours : float, optional
        Of a log, look at the last so many hours only. A server tells of its latest 10,000 to 20,000 rows.
    token : str, optional
        Of a server. Without it the variable GANGLION_TOKEN.

    Returns
    -------
    list of Drift
        One a model and version.

    Raises
    ------
    InvalidFile
        If the log does not exist or is no such log, or the server does not answer.
    InvalidParameter
        If `hours` is not above 0.
    """
    if hours is not None and not 0 < hours < 2**31:
        raise InvalidParameter(f"hours={hours}: give a number above 0, or None for all.")
    text = os.fspath(source)
    if text.startswith(("http://", "https://")):
        return _of_server(text, os.environ.get(TOKEN, "") if token is None else token)
    return _of_log(Path(text).expanduser(), hours)


def _of_server(address: str, token: str) -> list[Drift]:
    request = urllib.request.Request(address.rstrip("/") + "/drift")  # http and https only, as checked
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            content = json.loads(answer.read(_MOST_BYTES))
        return [_drift(each, each["summary"]) for each in content["models"]]
    except urllib.error.HTTPError as error:
        with error:
            what = "wants a token: give it in GANGLION_TOKEN" if error.code == 401 else f"answered {error.code}"
        raise InvalidFile(f"the server at {address} {what}.") from error
    except (OSError, *_DAMAGE) as error:
        raise InvalidFile(f"the server at {address} does not answer as `ganglion serve` does ({error}).") from error


def _drift(stored: dict[str, Any], summary: Any) -> Drift:
    known = summary_from_json(summary) or Summary(0)
    name = f"{stored['model']} version {stored['version']}"
    return drift_of(known, from_json(stored["columns"]), from_json(stored["predicted"]), model=name)


class _Gathered:
    """Counts of one model, since its summary last changed."""

    def __init__(self, summary: Summary | None) -> None:
        self.summary = summary
        self.columns: dict[str, Counts] = {}
        self.predicted: dict[str, Counts] = {}
        self.times: list[str] = []


def _of_log(path: Path, hours: float | None) -> list[Drift]:
    try:
        with path.open(encoding="utf-8") as file:
            gathered = _gathered(path, file, hours)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile(f"the log {path} cannot be read ({error}). Give the file of `serve --log`.") from error
    if not gathered:
        raise InvalidFile(f"{path} holds no counts{f' of the last {hours:g} hours' if hours else ''} yet.")
    return [_of_gathered(name, version, each) for (name, version), each in gathered.items()]


def _gathered(path: Path, lines: Iterable[str], hours: float | None) -> dict[tuple[str, str], _Gathered]:
    since = None if hours is None else datetime.now(UTC) - timedelta(hours=hours)
    found: dict[tuple[str, str], _Gathered] = {}
    for number, record in _records(path, lines):
        try:
            key = (str(record["model"]), str(record["version"]))
            if "summary" in record:
                summary = summary_from_json(record["summary"])
                if key not in found or found[key].summary != summary:
                    found[key] = _Gathered(summary)
                continue
            if since is not None and datetime.fromisoformat(record["time"]) < since:
                continue
            each = found[key]
            each.columns = added(each.columns, from_json(record["columns"]))
            each.predicted = added(each.predicted, from_json(record["predicted"]))
            each.times.append(str(record["time"]))
        except (InvalidModel, *_DAMAGE) as error:
            raise InvalidFile(f"{path}, line {number} is no line of `serve --log` ({error}).") from error
    return {key: each for key, each in found.items() if each.times}


def _records(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the lines of a log as objects; the last may be cut, where the server was killed."""
    cut = 0
    for number, line in enumerate(lines, start=1):
        if cut:
            raise InvalidFile(f"{path}, line {cut} is no JSON. Give the file of `serve --log`.")
        try:
            yield number, json.loads(line)
        except ValueError:
            cut = number
    if cut == 1:
        raise InvalidFile(f"{path} is no log of `serve --log`: its first line is no JSON.")


def _of_gathered(name: str, version: str, each: _Gathered) -> Drift:
    drift = drift_of(each.summary or Summary(0), each.columns, each.predicted, model=f"{name} version {version}")
    return Drift(drift.model, drift.n_rows, drift.columns, drift.predictions, each.times[0], each.times[-1])
