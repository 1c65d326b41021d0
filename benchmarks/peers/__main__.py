"""Set up peers: `python -m benchmarks.peers [NAME …]`; without names, list them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.peers import ENVIRONMENTS, installed, names, python, requirements

TORCH = "torch==2.13.0"  # the version that Ganglion is tested with; everybody measures on the same


def set_up(name: str) -> bool:
    """Install a peer in a fresh environment; return whether that worked."""
    folder = ENVIRONMENTS / name
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    wanted = requirements(name)
    with tempfile.TemporaryDirectory() as scratch:
        constraints = Path(scratch) / "constraints.txt"
        constraints.write_text(TORCH + "\n")
        # torch first, so that nothing that depends on it draws another build
        steps = [[TORCH]] if any(each.startswith("torch==") for each in wanted) else []
        for step in [*steps, ["--constraint", str(constraints), *wanted]]:
            command = [str(python(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *step]
            if subprocess.run(command).returncode:
                print(f"{name}: pip failed (its words are above)")
                return False
    (folder / ".ready").touch()
    print(f"{name}: ready in {folder}")
    return True


def main() -> int:
    """Set up the peers named on the command line."""
    wanted = sys.argv[1:]
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"no peer is called {', '.join(unknown)}. Known: {', '.join(names())}.")
        return 2
    if not wanted:
        for name in names():
            print(f"{name:16} {'installed' if installed(name) else 'not installed'}")
        return 0
    failed = [name for name in wanted if not set_up(name)]  # one that fails does not keep the others away
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
