# One command for each thing; each sets itself up in .venv when needed, and says what it does.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test lint format bench claims clean

help:  ## Show the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

setup: $(READY)  ## Make .venv with everything in it

$(READY): pyproject.toml constraints.txt
	@echo "== setting up $(VENV) (once; a few minutes on a slow line)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; give one with: make PYTHON=python3.12 …"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## From files to models, reports and predictions, on data that come with scikit-learn
	@$(BIN)/python examples/demo.py

test: $(READY)  ## All tests
	@echo "== tests"
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q

lint: $(READY)  ## Style, types, layers
	@echo "== ruff, pyright, import-linter"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports

format: $(READY)  ## Let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY)  ## Speed beside the peers, interleaved; WORKLOAD=… for one
	@$(BIN)/python -m benchmarks.bench $(WORKLOAD)

claims: $(READY)  ## Quality on real data beside the papers' figures; CLAIM=… for one
	@$(BIN)/python -m benchmarks.claims $(CLAIM)

clean:  ## Remove .venv and everything made
	@rm -rf $(VENV) demo-output .pytest_cache .ruff_cache .hypothesis
