"""`ganglion doctor`: import every package in a process of its own, so that one that crashes names itself."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from rich.markup import escape
from rich.table import Table

from ganglion.cli.screen import out, print_json
from ganglion.data.image_cache import cache_folder, n_bytes_kept
from ganglion.version import __version__

CORE = ("torch", "numpy", "scipy", "sklearn", "narwhals", "safetensors", "rich", "typer")
EXTRAS = {
    "PIL": "image",
    "pandas": "tables",
    "pyarrow": "tables",
    "soundfile": "audio",
    "tokenizers": "text",
    "tensorboard": "track",
    "mlflow": "track",
    "mido": "music",
    "fairlearn": "fairness",
}
DISTRIBUTIONS = {
    "PIL": "pillow",
    "mlflow": "mlflow-skinny",
    "sklearn": "scikit-learn",
}  # where the package is called otherwise than its module
TIME_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What became of one import: "works", "missing" or "broken", the version or the last line of the error."""

    package: str
    extra: str
    state: str
    detail: str


def examine(*, as_json: bool) -> None:
    """Print the state of every package; exit code 1 if a core package is missing or any is broken."""
    import typer

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(diagnose, [*CORE, *EXTRAS], ["", *[""] * (len(CORE) - 1), *EXTRAS.values()]))
    if as_json:
        cache = {"folder": str(cache_folder()), "bytes": n_bytes_kept()}
        python = platform.python_version()
        print_json({"ganglion": __version__, "python": python, "packages": [*map(asdict, found)], "cache": cache})
    else:
        _show(found)
    if any(each.state == "broken" or (each.state == "missing" and not each.extra) for each in found):
        raise typer.Exit(1)


def diagnose(package: str, extra: str = "") -> Diagnosis:
    """Import a package in a process of its own."""
    if importlib.util.find_spec(package) is None:
        advice = f'pip install "ganglion[{extra}]"' if extra else "pip install --force-reinstall ganglion"
        return Diagnosis(package, extra, "missing", advice)
    distribution = DISTRIBUTIONS.get(package, package)
    code = f"import {package}; from importlib import metadata; print(metadata.version({distribution!r}))"
    try:
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        return Diagnosis(package, extra, "broken", f"its import took more than {TIME_LIMIT_S} seconds")
    if ran.returncode == 0:
        return Diagnosis(package, extra, "works", ran.stdout.strip().rpartition("\n")[2])
    last = ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else f"the process ended with {ran.returncode}"
    return Diagnosis(package, extra, "broken", last)


def _show(found: list[Diagnosis]) -> None:
    colours = {"works": "green", "missing": "yellow", "broken": "red"}
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("package", "state", "version", "extra"):
        table.add_column(column)
    for each in found:
        table.add_row(each.package, f"[{colours[each.state]}]{each.state}[/]", escape(each.detail), each.extra)
    out.print(f"ganglion {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    out.print(table)
    cache = f"decoded pictures: {n_bytes_kept() / 10**6:,.0f} MB in {cache_folder()}, which may be deleted"
    out.print(escape(cache), highlight=False, soft_wrap=True)
