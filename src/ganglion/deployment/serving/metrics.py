"""What the server counts, in the text format of Prometheus. Nothing is sent anywhere: who wants it asks for it."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

Labels = tuple[tuple[str, str], ...]
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Metrics:
    """Counts of requests and their times."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._times: dict[str, list[int]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self.in_flight = 0

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self.requests[route, status] += 1
        self._seconds[route] += seconds
        counts = self._times.get(route)
        if counts is None:
            counts = self._times[route] = [0] * (len(_BUCKETS_S) + 1)
        counts[bisect_left(_BUCKETS_S, seconds)] += 1

    def lines(self) -> list[str]:
        """Return all that was counted, one sample a line."""
        counts = [(_labels(route=route, status=str(status)), n) for (route, status), n in sorted(self.requests.items())]
        memory = [((), resident_bytes())]
        return [
            *family("ganglion_requests_total", "counter", "Requests answered.", counts),
            *family("ganglion_requests_in_flight", "gauge", "Requests not answered yet.", [((), self.in_flight)]),
            *self._histogram(),
            *family("ganglion_resident_bytes", "gauge", "Memory of the process.", memory),
        ]

    def _histogram(self) -> list[str]:
        name = "ganglion_request_seconds"
        lines = [f"# HELP {name} Seconds from the head of a request to its answer.", f"# TYPE {name} histogram"]
        for route, counts in sorted(self._times.items()):
            total = 0
            for bound, n in zip([*map(str, _BUCKETS_S), "+Inf"], counts, strict=True):
                total += n
                lines.append(sample(f"{name}_bucket", _labels(route=route, le=bound), total))
            lines.append(sample(f"{name}_sum", _labels(route=route), self._seconds[route]))
            lines.append(sample(f"{name}_count", _labels(route=route), total))
        return lines


def family(name: str, kind: str, text: str, samples: Iterable[tuple[Labels, float]]) -> list[str]:
    """Return the lines of one metric: what it is, and a sample for each set of labels."""
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *(sample(name, *each) for each in samples)]


def sample(name: str, labels: Labels, value: float) -> str:
    """Return one line: a name, its labels, a value."""
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{shown}}} {value:g}" if shown and isinstance(value, float) else f"{name}{_braced(shown)} {value}"


def _braced(shown: str) -> str:
    return f"{{{shown}}}" if shown else ""


def _labels(**labels: str) -> Labels:
    return tuple(labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resident_bytes() -> int:
    """Return how much memory the process holds, in bytes; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
