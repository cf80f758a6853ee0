"""The hand-written server that teams start with: FastAPI, pandas, scikit-learn.

python bench/peer_fastapi.py MODEL.joblib PORT
"""

import sys
from typing import Any

import joblib
import pandas as pd
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Row(BaseModel):
    hour: float
    distance: float
    wind_speed: float | None
    visib: float | None
    precip: float | None
    carrier: str
    origin: str
    dest: str


class PredictRequest(BaseModel):
    rows: list[Row]


app = FastAPI()
model = joblib.load(sys.argv[1])


@app.post("/predict/late_arrival")
def predict(request: PredictRequest) -> dict[str, Any]:
    frame = pd.DataFrame([row.model_dump() for row in request.rows])
    probabilities = model.predict_proba(frame)
    return {
        "predictions": model.classes_[probabilities.argmax(axis=1)].tolist(),
        "probabilities": probabilities.tolist(),
        "classes": model.classes_.tolist(),
    }


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
