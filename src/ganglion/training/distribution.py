"""Training on several processes or machines at once: who the workers are, how they meet, agree and part.

Started by `torchrun`, every worker runs the same `fit` on the same data; each takes its share of every batch
(`parallel`), or of the network, too (`sharding`). The result is that of one process with the same global batch, but
for rounding. The first worker writes and speaks for all; what one of them cannot do ends all of them.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
import time
import traceback
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ganglion.errors import GanglionError, GanglionWarning, InvalidInput, WorkerFailed
from ganglion.training.objective import Batch

JOIN_WITHIN = timedelta(minutes=30)
_LOST = ("closed by peer", "reset by peer", "broken pipe", "socket closed", "connection was likely closed", "timed out")


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers that train together.

    Attributes
    ----------
    rank : int
        Which of them this process is; 0 writes and speaks for all.
    n : int
        How many there are; 1 for an ordinary process.
    """

    rank: int = 0
    n: int = 1

    @property
    def speaks(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    @property
    def local_rank(self) -> int:
        """Which of the workers on this machine this process is: the number of its GPU."""
        return int(os.environ.get("LOCAL_RANK", self.rank))

    @property
    def n_here(self) -> int:
        """How many of them share this machine."""
        return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if self.n > 1 else 1

    def share(self, batch: Batch) -> tuple[Batch, float]:
        """Return this worker's rows of a global batch, and what its mean loss must be multiplied with.

        The mean over workers of the scaled mean losses is the mean over the global batch, whatever its size. A worker
        that has no row of a small last batch takes one and counts it 0.
        """
        size = len(next(iter(batch.values())))
        rows = slice(self.rank, None, self.n) if size > self.rank else slice(0, 1)
        n_own = len(range(size)[rows]) if size > self.rank else 0
        return {name: tensor[rows] for name, tensor in batch.items()}, n_own * self.n / size

    def same(self, value: int) -> int:
        """Return the number that the first worker has, on all of them."""
        if self.n == 1:
            return value
        _meet(self)
        box = torch.tensor([value])
        dist.broadcast(box, src=0)
        return int(box)

    def same_row(self, row: dict[str, float]) -> dict[str, float]:
        """Return the numbers that the first worker measured: no rounding may let two of them decide differently."""
        if self.n == 1 or not row:
            return row
        box = torch.tensor(list(row.values()), dtype=torch.float64)
        dist.broadcast(box, src=0)
        return dict(zip(row, box.tolist(), strict=True))

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean over all workers of a scalar, detached."""
        return value.detach() if self.n == 1 else self.total(value) / self.n

    def total(self, value: Tensor) -> Tensor:
        """Return the sum over all workers of a tensor, detached."""
        value = value.detach()
        if self.n > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def most(self, value: int) -> int:
        """Return the largest of the workers' numbers: one of them may have been asked to stop."""
        if self.n == 1:
            return value
        box = torch.tensor([value])
        dist.all_reduce(box, op=dist.ReduceOp.MAX)
        return int(box)

    def numbers(self, values: Sequence[float]) -> Tensor:
        """Return some numbers of every worker, (n, n_values), float64."""
        own = torch.tensor(values, dtype=torch.float64)
        rows = [torch.empty_like(own) for _ in range(self.n)]
        dist.all_gather(rows, own)
        return torch.stack(rows)

    def told(self, text: str, by: int) -> str:
        """Return the text that worker `by` has, on all of them."""
        raw = text.encode()
        size = torch.tensor([len(raw)])
        dist.broadcast(size, src=by)
        box = torch.zeros(int(size), dtype=torch.uint8)
        if self.rank == by:
            box = torch.frombuffer(bytearray(raw), dtype=torch.uint8)
        dist.broadcast(box, src=by)
        return bytes(box.tolist()).decode()

    def random_states(self) -> list[Tensor]:
        """Return the state of torch's random numbers of every worker, in order of rank."""
        own = torch.get_rng_state()
        if self.n == 1:
            return [own]
        states = [torch.empty_like(own) for _ in range(self.n)]
        dist.all_gather(states, own)
        return states


def workers() -> Workers:
    """Return the workers that `torchrun` started with this process, joining them on the first call."""
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if n <= 1 or "MASTER_ADDR" not in os.environ:
        return Workers()
    if not dist.is_initialized():
        if _parted:
            raise WorkerFailed("the workers parted after an error; start them again to train with several.")
        _join()
    return Workers(dist.get_rank(), dist.get_world_size())


def _join() -> None:
    # imported once the group exists, it would keep it for ever, as the default argument of ten functions (torch 2.13)
    import torch.distributed.nn.functional

    cuda = torch.cuda.is_available()
    store, rank, n = next(iter(dist.rendezvous("env://", timeout=JOIN_WITHIN)))
    store = _of_this_attempt(store, rank, n)
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", store=store, rank=rank, world_size=n)
    atexit.register(leave)
    local_rank = Workers(rank, n).local_rank
    if cuda and local_rank < torch.cuda.device_count():
        torch.cuda.set_device(local_rank)


def _of_this_attempt(store: dist.Store, rank: int, n: int) -> dist.Store:
    """Return a part of the launcher's store in which no earlier attempt has written.

    The launcher keeps its store when it restarts workers (torch 2.13, whatever the rendezvous), and the addresses of
    the dead are still in it: who reads one before its successor has written its own waits for nobody, or is refused.
    The launcher's count of restarts would tell the attempts apart, but differs between machines (PyTorch issue 135712).
    So the workers find each other by names that no process had before: the first one gives its own to whoever knocks,
    and begins when every other has answered to it.
    """
    own, others = uuid.uuid4().hex, range(1, n)
    if rank > 0:
        store.set(f"ganglion/knock/{rank}", own)
        attempt = store.get(f"ganglion/open/{own}").decode()  # waits for it
        store.set(f"ganglion/{attempt}/{rank}", "here")
        return dist.PrefixStore(attempt, store)
    deadline = time.monotonic() + JOIN_WITHIN.total_seconds()
    while not store.check([f"ganglion/{own}/{other}" for other in others]):
        for other in others:
            if store.check([f"ganglion/knock/{other}"]):  # it may be a dead one's, which then opens to nobody
                store.set(f"ganglion/open/{store.get(f'ganglion/knock/{other}').decode()}", own)
        if time.monotonic() > deadline:
            raise WorkerFailed(f"not all of {n} workers came within {JOIN_WITHIN.total_seconds():.0f} s.")
        time.sleep(0.02)
    return dist.PrefixStore(own, store)


_parted = False


def leave() -> None:
    """Leave the group for good; who still waits for this worker is told by the closed connection.

    Gloo's threads keep the tensors of the last exchange for a moment after it is over. One that lets go of them while
    the interpreter shuts down ends the process ("terminate called without an active exception", PyTorch issue 190489).
    The threads are joined when the group goes, and it goes when nobody has it any more: not the functions named in
    `_join`, not PyTorch's memory of what it did with DTensors, and not the engines, which stand in circles of
    references.
    """
    global _parted
    if dist.is_initialized():
        _parted = True
        if "torch.distributed.tensor" in sys.modules:
            from torch.distributed.tensor import debug

            debug._clear_sharding_prop_cache()
        gc.collect()
        dist.destroy_process_group()


_met = False  # whether the workers have met to train since `together` was entered: from then on they fail alike


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Let every worker run a block, so that an error on one of them is an error on all, and none waits in vain.

    Before `muster` all of them learn of the error, and the group goes on; in one process nothing is changed.

    Raises
    ------
    WorkerFailed
        On the workers that had no error of their own.
    """
    global _met
    team = workers()
    if team.n == 1:
        yield
        return
    _met = False
    try:
        with warnings.catch_warnings():
            if not team.speaks:
                warnings.simplefilter("ignore", GanglionWarning)
            yield
        if not _met:
            muster(team)
        team.most(0)  # who leaves first would break the connection of those who still talk
    except Exception as error:
        shared = _shared(team, error)
        if shared is error:
            raise
        raise shared from error


def _shared(team: Workers, error: Exception) -> Exception:
    """Let the other workers know of an error; returns what this one raises."""
    lost = _is_lost(error)
    if not lost and not _met and not isinstance(error, WorkerFailed):
        try:
            _meet(team, error)
        except RuntimeError as another:
            if not _is_lost(another):
                raise
        return error
    if lost or not isinstance(error, GanglionError):  # alone with it: the others must not wait
        traceback.clear_frames(error.__traceback__)  # the engines in them hold the connection
        leave()
    if not lost:
        return error
    return WorkerFailed(
        f"worker {team.rank} of {team.n} lost the connection to another one, which ended or cannot be reached; what it "
        "said last, or the launcher's report, says why. With a checkpoint folder and resume=True (--resume) the run "
        "goes on from there; `torchrun --max-restarts 3` restarts it by itself."
    )


def _is_lost(error: Exception) -> bool:
    return (
        isinstance(error, RuntimeError)
        and not isinstance(error, GanglionError)
        and any(word in str(error).lower() for word in _LOST)
    )


def muster(team: Workers, facts: Mapping[str, float] | None = None) -> None:
    """Wait until every worker is ready to train, and see that all of them are about to train the same.

    Parameters
    ----------
    team : Workers
        More than one.
    facts : mapping of str to float
        What must be the same on all workers, but for rounding.

    Raises
    ------
    WorkerFailed
        If another worker cannot train.
    InvalidInput
        If the facts differ.
    """
    global _met
    _meet(team)
    _met = True
    if not facts:
        return
    rows = team.numbers(list(facts.values()))
    for rank, row in enumerate(rows):
        same = torch.isclose(row, rows[0], rtol=1e-6, atol=1e-9, equal_nan=True).tolist()
        odd = [
            f"{name} {float(row[i]):.10g}, not {float(rows[0, i]):.10g}" for i, name in enumerate(facts) if not same[i]
        ]
        if odd:
            raise InvalidInput(
                f"worker {rank} of {team.n} is about to train something else than worker 0: {'; '.join(odd)}. Give all "
                "workers the same data, options and versions, and a checkpoint folder that all of their machines share."
            )


def _meet(team: Workers, error: Exception | None = None) -> None:
    """Tell the other workers of an error, or raise theirs."""
    failed = -team.most(-(team.n if error is None else team.rank))  # the first that has one
    if failed < team.n:
        text = team.told(str(error) or type(error).__name__, by=failed)
        if error is None:
            raise WorkerFailed(f"worker {failed} of {team.n}: {text}")


def fingerprint(tensors: Mapping[str, Any]) -> float:
    """Return a number that differs between tensors that differ by more than rounding."""
    return sum(float(tensor.detach().double().abs().sum()) for tensor in tensors.values())
