"""How a job runs is a pure function of the job and the machine; what was set for it is put back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganglion.algorithms.mlp import MLPRegressor
from ganglion.errors import InvalidParameter
from ganglion.training.execution import Execution, Job, Machine, check_device, plan

SMALL = Job(n_samples=150, products=1000, batch_size=150, float64_input=True)
LARGE = Job(n_samples=10**6, products=10**6, batch_size=512, float64_input=True, n_parameters=10**6)
LAPTOP, SERVER = Machine(threads=8, cuda=False), Machine(threads=64, cuda=True)


def test_a_small_job_runs_on_one_thread_in_float64():
    assert plan(SMALL, LAPTOP) == Execution(device="cpu", precision="float64", threads=1)
    assert plan(SMALL, SERVER) == Execution(device="cpu", precision="float64", threads=1)


def test_a_large_job_takes_what_there_is():
    assert plan(LARGE, LAPTOP) == Execution(
        device="cpu", precision="float32", threads=8, fast_products=True, keeps_memory=True
    )
    assert plan(LARGE, SERVER) == Execution(device="cuda", precision="float32", threads=64)


def test_float32_data_stay_float32():
    single = Job(n_samples=150, products=1000, batch_size=150, float64_input=False)
    assert plan(single, LAPTOP).precision == "float32"


def test_the_same_job_gives_the_same_plan():
    assert {plan(LARGE, LAPTOP, threads=3) for _ in range(10)} == {plan(LARGE, LAPTOP, threads=3)}


def test_pins_are_kept():
    pinned = plan(LARGE, SERVER, device="cpu", precision="float64", threads=2)
    assert pinned == Execution(device="cpu", precision="float64", threads=2, fast_products=True, keeps_memory=True)
    assert plan(SMALL, LAPTOP, precision="bfloat16").precision == "bfloat16"
    assert plan(SMALL, LAPTOP, threads=10**6).threads == 32  # four a core: more would only wait for one another


def test_large_products_that_stand_rounding_are_done_in_bfloat16_where_the_processor_can():
    job = replace(LARGE, stands_rounding=True)
    assert plan(job, replace(LAPTOP, bfloat16=True)).precision == "bfloat16"
    assert plan(job, LAPTOP).precision == "float32"
    assert plan(LARGE, replace(LAPTOP, bfloat16=True)).precision == "float32"
    assert plan(replace(SMALL, stands_rounding=True), replace(LAPTOP, bfloat16=True)).precision == "float64"
    assert plan(job, replace(LAPTOP, bfloat16=True), precision="float32").precision == "float32"


def test_steps_that_wait_for_one_another_are_shared_only_if_each_is_large():
    lstm = replace(LARGE, products=96 * 33 * 128, batch_size=32)
    assert plan(lstm, LAPTOP).threads == 8
    assert plan(replace(lstm, steps=96), LAPTOP).threads == 1
    assert plan(replace(lstm, steps=96, batch_size=1024), LAPTOP).threads == 8


def test_a_network_that_fills_its_device_is_shared_out():
    """10⁶ parameters in float32: weights, gradients and two moments are 16 MB; half of a device is for them."""
    two = Machine(threads=8, cuda=True, workers=2, memory=33e6, gpu_memory=31e6)
    assert plan(LARGE, two, device="cpu").sharded is False
    assert plan(LARGE, two, device="cuda").sharded is True
    assert plan(LARGE, two, device="cpu", precision="float64").sharded is True
    assert plan(LARGE, two, device="cuda", sharded=False).sharded is False
    assert plan(SMALL, two, sharded=True).sharded is True
    assert plan(SMALL, LAPTOP, sharded=True).sharded is False  # one process has nobody to share with
    assert plan(LARGE, two, device="cuda").to_dict()["sharded"] is True
    assert "sharded" not in plan(SMALL, two).to_dict()


def test_this_machine_has_memory():
    here = Machine.here()
    assert here.workers == 1
    assert here.memory > 2**28


def test_dtypes():
    found = {
        name: Execution(device="cpu", precision=name, threads=1).dtype for name in ("float32", "float64", "bfloat16")
    }
    assert found == {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


def process():
    return torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
def test_settings_hold_inside_and_are_put_back(precision):
    before = process()
    with Execution(device="cpu", precision=precision, threads=before[0] + 1).applied():
        assert torch.get_num_threads() == before[0] + 1
        assert torch.is_autocast_enabled("cpu") is (precision == "bfloat16")
    assert process() == before


def test_settings_are_put_back_after_an_error():
    before = process()
    with (
        pytest.raises(ZeroDivisionError),
        Execution(device="cpu", precision="bfloat16", threads=before[0] + 1).applied(),
    ):
        raise ZeroDivisionError
    assert process() == before


def test_products_in_float32_stay_as_exact_as_float32():
    torch.manual_seed(0)
    a, b = torch.randn(200, 300), torch.randn(300, 100)
    with Execution(device="cpu", precision="float32", threads=1).applied():
        found = a @ b
    exact = (a.double() @ b.double()).numpy()
    np.testing.assert_allclose(found, exact, atol=1e-4 * np.abs(exact).max())


def test_bfloat16_learns():
    """Weights kept in float32 must be rounded anew at every step, or nothing is ever learned."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    losses = {
        precision: MLPRegressor(hidden=(8,), epochs=60, learning_rate=0.02, random_state=0, precision=precision)
        .fit(X, X[:, 0] - X[:, 1])
        .history_["loss"]
        for precision in ("float32", "bfloat16")
    }
    assert losses["bfloat16"][-1] < 0.1 * losses["bfloat16"][0]
    np.testing.assert_allclose(losses["bfloat16"], losses["float32"], atol=0.1)


@pytest.mark.parametrize("precision", ["float32", "float64", "bfloat16"])
def test_a_pinned_precision_is_used_and_logged(precision):
    X = np.random.default_rng(0).normal(size=(30, 2))
    model = MLPRegressor(hidden=(3,), epochs=2, precision=precision, threads=1).fit(X, X[:, 0] - X[:, 1])
    assert model.history_.execution["precision"] == precision
    assert model.history_.execution["threads"] == 1
    assert model.network_.dtype == (torch.float64 if precision == "float64" else torch.float32)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", "cpu:x"])
def test_a_device_that_is_not_here_is_refused(device):
    with pytest.raises(InvalidParameter, match=r"is not to be had here.*'cpu'"):
        check_device(device)


def test_devices_that_are_here():
    check_device("auto")
    check_device("cpu")
