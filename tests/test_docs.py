"""The examples of README and ARCHITECTURE run, in order, in a folder of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [code for kind, code in BLOCK.findall((ROOT / "README.md").read_text()) if kind == language]


def test_readme_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks("python"))
    assert "fit(" in code
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert "Verdict" in capsys.readouterr().out
    assert (tmp_path / "tumours.ganglion").exists()


def test_readme_commands(tmp_path):
    lines = [line for code in blocks("console") for line in code.splitlines() if line.startswith("$ ganglion")]
    assert len(lines) >= 4
    shutil.copy(ROOT / "examples" / "demo.py", tmp_path)
    make = "import demo, pathlib; demo.write_tables(pathlib.Path('tumours.csv'), pathlib.Path('tumours-new.csv'))"
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, check=True)
    for line in lines:
        words = line.removeprefix("$ ").split()
        ran = subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, f"{line}\n{ran.stderr}"
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_pages_name_files_that_exist(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), f"{page} links to {target}"
    for room, name in re.findall(r"`(data|networks|training|estimators|evaluation|cli|algorithms)/(\w+\.py)`", text):
        assert (ROOT / "src" / "ganglion" / room / name).exists(), f"{page} names {room}/{name}"
