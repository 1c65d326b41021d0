"""One window at a time: what a forecast costs a service."""

from benchmarks.measurement import US
from benchmarks.workloads import Contender, Workload
from benchmarks.workloads._series import JOB, data

WORKLOAD = Workload(
    title="one forecast of 24 steps from one window of 96 a call, DLinear, as each library's users call it",
    job={**JOB, "network": "linear", "steps": 100, "calls": 200},
    contenders={
        US: Contender("forecast.one_ganglion"),
        "darts": Contender("forecast.one_darts", "darts"),
        "neuralforecast": Contender("forecast.one_neuralforecast", "neuralforecast"),
    },
    data=data,
    targets={"neuralforecast": 20.0},
    quality=None,
)
