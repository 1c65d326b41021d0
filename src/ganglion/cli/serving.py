"""`ganglion serve`: models behind HTTP."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from rich.logging import RichHandler

from ganglion.cli.screen import err


def serve_models(
    models: Sequence[str],
    *,
    host: str,
    port: int,
    token: str | None,
    names: Sequence[str],
    log: Path | None,
    engine: str,
) -> None:
    """Serve model files until told to stop."""
    from ganglion.deployment.serving.server import serve

    logger = logging.getLogger("ganglion.serve")
    logger.addHandler(RichHandler(console=err, show_path=False, markup=False, highlighter=None))
    logger.setLevel(logging.INFO)
    serve(list(models), host=host, port=port, token=token, names=names, log=log or "", engine=engine)
