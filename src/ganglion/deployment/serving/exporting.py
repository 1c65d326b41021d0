"""Model files in their exported form, before they are served.

A file is exported when it is loaded, in a process of its own, so that requests are served meanwhile; what was exported
is kept in the cache, under the digest of the file. Its answers were compared with the original's before it appeared.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ganglion.data.image_cache import cache_folder
from ganglion.deployment.onnx_model import OnnxModel
from ganglion.errors import GanglionError
from ganglion.version import __version__

LOG = logging.getLogger("ganglion.serve")
_EXPORT_S = 600  # seconds that an export may take


def exported(path: Path) -> OnnxModel | str:
    """Return a model file in its exported form, or why it has none.

    Parameters
    ----------
    path : Path
        A file that `save` wrote. What was exported before is taken from the cache.
    """
    try:
        kept = _kept(path)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            LOG.info("exporting %s to ONNX, once; this takes some seconds", path.name)
            reason = _export(path, kept)
            if reason:
                return reason
        return OnnxModel.load(kept)
    except (GanglionError, OSError) as error:
        return str(error)


def _kept(path: Path) -> Path:
    digest = hashlib.sha256(path.read_bytes() + f"{__version__} {np.__version__}".encode()).hexdigest()
    return cache_folder() / "served" / f"{digest}.onnx"


def _export(path: Path, to: Path) -> str:
    """Export in a process of its own; return what it said if it failed."""
    command = [sys.executable, "-m", "ganglion", "export", os.fspath(path), "--to", os.fspath(to)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_EXPORT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"the export took more than {_EXPORT_S} seconds"
    if ran.returncode == 0 and to.exists():
        return ""
    said = " ".join(ran.stderr.split()) or f"it ended with code {ran.returncode}"
    return said.rpartition("error: ")[2][:500]


def exported_from_memory(model: Any) -> OnnxModel | str:
    """Return a fitted estimator in its exported form, or why it has none."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "model.ganglion")
            return exported(Path(folder) / "model.ganglion")
    except GanglionError as error:
        return str(error)
