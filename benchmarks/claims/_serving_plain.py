"""The same model behind plain FastAPI + PyTorch, as a tutorial writes it: what ours is measured beside."""

from __future__ import annotations

import os
from typing import Any

import torch
from fastapi import FastAPI
from pydantic import create_model

import ganglion as gg

torch.set_num_threads(1)
MODEL = gg.load(os.environ["SERVED_MODEL"])
NUMBERS = [field.name for field in MODEL.encoder_.numeric]
CODES = {
    field.name: {label: code for code, label in enumerate(field.categories, 1)} for field in MODEL.encoder_.categorical
}
Row: Any = create_model("Row", **dict.fromkeys(NUMBERS, (float | None, ...)), **dict.fromkeys(CODES, (str | None, ...)))
app = FastAPI()


@app.post("/predict")
def predict(row: Row) -> dict[str, Any]:  # type: ignore[valid-type]
    numbers = [float("nan") if (value := getattr(row, name)) is None else value for name in NUMBERS]
    codes = [codes.get(getattr(row, name), 0) for name, codes in CODES.items()]
    with torch.inference_mode():
        columns = {"numeric": torch.tensor([numbers]), "categorical": torch.tensor([codes])}
        probabilities = MODEL.network_(columns)[0]
    return {"prediction": str(MODEL.classes_[int(probabilities.argmax())]), "probabilities": probabilities.tolist()}
