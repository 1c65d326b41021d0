"""The examples of README and ARCHITECTURE run, in order, in a folder of their own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from runpy import run_path

import pytest

from ganglion.cli import doctor
from ganglion.cli.main import run

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


def test_readme_commands(tmp_path, monkeypatch, capsys):
    lines = [line for code in blocks("console") for line in code.splitlines() if line.startswith("$ ganglion")]
    assert len(lines) >= 4
    monkeypatch.chdir(tmp_path)
    if os.environ.get("HYPOTHESIS_PROFILE") != "thorough":  # each package is imported in a process of its own
        monkeypatch.setattr(doctor, "CORE", ("rich", "typer"))
        monkeypatch.setattr(doctor, "EXTRAS", {})
    run_path(str(ROOT / "examples" / "demo.py"))["write_tables"](Path("tumours.csv"), Path("tumours-new.csv"))
    for line in lines:
        monkeypatch.setattr(sys, "argv", line.removeprefix("$ ").split())
        with pytest.raises(SystemExit) as ended:
            run()
        assert not ended.value.code, f"{line}\n{capsys.readouterr().err}"
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_pages_name_files_that_exist(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), f"{page} links to {target}"
    for room, name in re.findall(r"`(data|networks|training|estimators|evaluation|cli|algorithms)/(\w+\.py)`", text):
        assert (ROOT / "src" / "ganglion" / room / name).exists(), f"{page} names {room}/{name}"
