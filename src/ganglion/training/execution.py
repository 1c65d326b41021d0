"""How a job runs: device, precision, threads.

A pure function of the job and the machine, so that the same seed gives the same bits; and the process's own settings
are put back afterwards.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from ganglion.data.memory import memory_bytes
from ganglion.errors import InvalidParameter
from ganglion.networks.network import device_of
from ganglion.training.allocation import memory_kept
from ganglion.training.distribution import workers

PRECISIONS = ("auto", "float32", "float64", "bfloat16")
_DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


# multiplications of a batch from which threads and oneDNN pay, measured on 2 cores with AVX-512
LARGE_PRODUCTS = 4 * 10**6
FEW_ROWS = 16
FEW_SAMPLES = 256  # one batch holds them all
# weights, gradients and two moments, as Adam has them; the other half of a device is for what a batch leaves on it
COPIES = 4
SHARE_FOR_WEIGHTS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is known of a job before it runs."""

    n_samples: int
    products: int  # multiplications of one sample
    batch_size: int
    float64_input: bool
    stands_rounding: bool = False  # whether products in bfloat16 are faster for this network and cost no quality
    n_parameters: int = 0
    steps: int = 1  # of a sample, each of which waits for the last: threads share the products of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the job may use: this process's threads and GPU, the number of workers, and the bytes that each has."""

    threads: int
    cuda: bool
    gpu: str = "cuda"
    amx: bool = False
    bfloat16: bool = False
    workers: int = 1
    memory: float = math.inf
    gpu_memory: float = math.inf

    @classmethod
    def here(cls) -> Machine:
        """Return this process's machine: a worker that was given one thread keeps to it."""
        team = workers()
        alone, cuda = team.n == 1, torch.cuda.is_available()
        return cls(
            threads=torch.get_num_threads(),
            cuda=cuda,
            gpu="cuda" if alone else f"cuda:{team.local_rank}",
            amx=has_amx(),
            bfloat16=torch.cpu._is_avx512_bf16_supported(),
            workers=team.n,
            memory=memory_bytes() / team.n_here,
            gpu_memory=_memory_of_gpu(team.local_rank) if cuda else math.inf,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a job runs: the device, the precision of the arithmetic, the number of threads, one network or parts."""

    device: str
    precision: str
    threads: int
    fast_products: bool = False
    keeps_memory: bool = False
    sharded: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of weights and data; bfloat16 keeps float32 weights and multiplies in bfloat16."""
        return _DTYPES[self.precision]

    @property
    def input_dtype(self) -> torch.dtype:
        """The dtype of what the layers are fed: in bfloat16 they would round it anyway."""
        return torch.bfloat16 if self.precision == "bfloat16" else self.dtype

    def to_dict(self) -> dict[str, str | int]:
        """Return the choices as plain values, for the log."""
        chosen: dict[str, str | int] = {"device": self.device, "precision": self.precision, "threads": self.threads}
        return chosen | {"sharded": True} if self.sharded else chosen

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Set threads and product precision for this job, and put back what was there before."""
        threads, kind = torch.get_num_threads(), self.device.split(":")[0]
        if threads != self.threads:
            torch.set_num_threads(self.threads)
        try:
            with contextlib.ExitStack() as stack:
                if self.keeps_memory:
                    stack.enter_context(memory_kept())
                if self.fast_products:
                    stack.enter_context(_products("medium"))
                if self.precision == "bfloat16":  # its cache of weights would outlive the steps that change them
                    stack.enter_context(torch.autocast(kind, torch.bfloat16, cache_enabled=False))
                yield
        finally:
            if threads != self.threads:
                torch.set_num_threads(threads)


def plan(
    job: Job,
    machine: Machine,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    sharded: bool | str = "auto",
) -> Execution:
    """Choose how a job runs; what the user pins is kept.

    Returns
    -------
    Execution
        A small job on float64 data runs in float64 (its time goes into dispatch, not arithmetic), others in float32;
        large ones of more than a few samples that stand it multiply in bfloat16, where the processor can.
        A batch, or a step of it, whose products are too small to share runs on one thread: two would be slower, and
        many times slower beside a busy neighbour. Several workers share out a network whose weights, gradients and
        moments would fill more than half of their device; one alone has nobody to share with.
    """
    if device == "auto":
        device = machine.gpu if machine.cuda and job.n_samples * job.products > 10**9 else "cpu"
    large = job.batch_size * job.products >= LARGE_PRODUCTS
    if precision == "auto":
        few = job.n_samples <= FEW_SAMPLES and job.n_samples * job.products <= 10**9
        low = large and not few and job.stands_rounding and device == "cpu" and machine.bfloat16
        exact = job.float64_input and (few or job.n_samples * job.products <= 8 * 10**6)
        precision = "float64" if exact else "bfloat16" if low else "float32"
    if threads is None:
        threads = machine.threads if job.batch_size * job.products // job.steps >= LARGE_PRODUCTS else 1
    # without AMX, "medium" only means oneDNN in place of MKL: twice as fast on large products and as exact, slower on
    # small ones; with AMX it is bfloat16
    medium = device == "cpu" and large and not machine.amx
    if sharded == "auto":
        needed = COPIES * job.n_parameters * torch.finfo(_DTYPES[precision]).bits / 8
        sharded = needed > SHARE_FOR_WEIGHTS * (machine.memory if device == "cpu" else machine.gpu_memory)
    return Execution(
        device=device,
        precision=precision,
        threads=min(threads, 4 * machine.threads),
        fast_products=medium,
        keeps_memory=device == "cpu" and large,
        sharded=bool(sharded) and machine.workers > 1,
    )


def fast_products(network: nn.Module, n_rows: float, *, precision: str = "auto") -> contextlib.AbstractContextManager:
    """Return a context in which a network that answers many rows multiplies faster, and as exactly (see `plan`).

    Only who pins `precision="bfloat16"` has products of about three digits: an answer that no one asked to be rounded
    should not depend on how many rows are asked with it.
    """
    if n_rows <= FEW_ROWS:  # not worth counting the parameters
        return contextlib.nullcontext()
    if precision == "bfloat16":
        return torch.autocast(device_of(network).type, torch.bfloat16)
    on_cpu = device_of(network).type == "cpu"
    large = math.isinf(n_rows) or n_rows * sum(each.numel() for each in network.parameters()) >= LARGE_PRODUCTS
    return _products("medium") if on_cpu and large and not has_amx() else contextlib.nullcontext()


@contextlib.contextmanager
def _products(precision: str) -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _memory_of_gpu(number: int) -> float:
    known = number < torch.cuda.device_count()
    return float(torch.cuda.get_device_properties(number).total_memory) if known else math.inf


@functools.cache
def has_amx() -> bool:
    """Return whether this machine has Intel's matrix extensions, with which "medium" products are bfloat16."""
    return torch.cpu._is_amx_tile_supported()


def check_device(device: str) -> None:
    """Raise InvalidParameter unless the device exists here."""
    if device in ("auto", "cpu"):
        return
    try:
        if torch.empty(0, device=device).is_meta:
            raise RuntimeError("it has no memory")
    except (RuntimeError, AssertionError) as error:
        have = ["auto", "cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        why = "" if "Expected one of" in str(error) else f" ({str(error).splitlines()[0].rstrip('.')})"
        raise InvalidParameter(
            f"device={device!r} is not to be had here{why}. Here: {', '.join(map(repr, have))}."
        ) from error
