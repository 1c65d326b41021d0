"""Dated result files: JSON with everything, and Markdown to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def write(kind: str, everything: Mapping[str, Any], page: str, *, folder: Path = FOLDER) -> tuple[Path, Path]:
    """Write `KIND-DATE-TIME.json` and `.md`, and return their paths."""
    now = datetime.now().astimezone()
    stem = f"{kind}-{now:%Y-%m-%d-%H%M%S}"
    paths = folder / f"{stem}.json", folder / f"{stem}.md"
    dated = {"date": now.isoformat(timespec="seconds"), **everything}
    paths[0].write_text(json.dumps(dated, indent=1, ensure_ascii=False) + "\n")
    heading, _, rest = page.partition("\n")
    paths[1].write_text(f"{heading}, {now:%Y-%m-%d}\n{rest}")
    return paths
