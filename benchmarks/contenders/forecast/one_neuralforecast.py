"""NeuralForecast, one window a call; the window is a frame already."""

from benchmarks.contenders.forecast.neuralforecast import fitted, frame
from benchmarks.contenders.forecasts import contend_to_forecast_one


def prepare(job, series, windows):
    forecaster = fitted(job, series)
    return lambda window: forecaster.predict(window).iloc[:, -1], [frame(window[None]) for window in windows]


if __name__ == "__main__":
    contend_to_forecast_one(prepare, ["neuralforecast", "torch", "pytorch-lightning", "numpy"])
