"""The same model behind plain FastAPI + PyTorch, as a tutorial writes it: what ours is measured beside."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import create_model

from benchmarks.claims._serving_torch import CODES, NUMBERS, answers

Row: Any = create_model("Row", **dict.fromkeys(NUMBERS, (float | None, ...)), **dict.fromkeys(CODES, (str | None, ...)))
app = FastAPI()


@app.post("/predict")
def predict(row: Row) -> dict[str, Any]:  # type: ignore[valid-type]
    return answers([row.model_dump()])[0]
