"""Two machines, as two network namespaces with a cable between them: the results of one process, also after a kill."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.claims import Skipped
from benchmarks.claims.two_workers import RUNS, TORCHRUN, differences_in, fitted

ADDRESSES = ("10.213.77.1", "10.213.77.2")
PATIENCE_S = 300
ROOT = Path(__file__).resolve().parents[2]


def claim() -> dict[str, Any]:
    """Train each run on both machines; in the first one a worker is killed once, and both start again."""
    with tempfile.TemporaryDirectory(prefix="ganglion-machines-") as folder, _machines() as names:
        codes = _train(names, folder)
        killed = (Path(folder) / "killed").exists()
        differences = differences_in(Path(folder)) if codes == [0, 0] else {"none came to an end": float("inf")}
    return {
        "claim": "two machines (network namespaces), a worker killed on the way, learn what one process does, to 1e-5",
        "holds": killed and max(differences.values()) <= 1e-5,
        "exit codes": str(codes),
        "killed": killed,
        **differences,
    }


def _train(names: tuple[str, str], folder: str) -> list[int]:
    launchers = []
    for i, (name, address) in enumerate(zip(names, ADDRESSES, strict=True)):
        torchrun = [
            *("timeout", "--kill-after", "40", str(PATIENCE_S), *TORCHRUN, "--nnodes", "2", "--node-rank", str(i)),
            *("--nproc-per-node", "1", "--max-restarts", "3", "--rdzv-backend", "c10d", "--rdzv-id", name[:-1]),
            *("--rdzv-endpoint", f"{ADDRESSES[0]}:29400", "--rdzv-conf", f"is_host={1 - i}", "--local-addr", address),
            *("-m", "benchmarks.claims.two_machines", folder),
        ]
        command = ["ip", "netns", "exec", name, *torchrun]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": name}
        launchers.append(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL))
    return [launcher.wait() for launcher in launchers]


@contextlib.contextmanager
def _machines() -> Iterator[tuple[str, str]]:
    """Give the names of two network namespaces, each with an interface of its own name, and take them away after."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        raise Skipped("network namespaces need Linux, root and the command ip")
    one, other = names = (f"gg{os.getpid()}a", f"gg{os.getpid()}b")
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("link", "add", one, "netns", one, "type", "veth", "peer", "name", other, "netns", other)
        for name, address in zip(names, ADDRESSES, strict=True):
            _ip("-n", name, "addr", "add", f"{address}/30", "dev", name)
            _ip("-n", name, "link", "set", name, "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names
    except subprocess.CalledProcessError as error:
        raise Skipped(f"this machine allows no network namespaces ({error.stderr.strip()})") from error
    finally:
        for name in names:
            living = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True)
            for pid in living.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], capture_output=True)  # the cable goes with them


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def _worker(folder: Path) -> None:
    """Fit and save all runs; the first time that one is half done, kill the first worker."""

    def kill(row: dict[str, Any], epochs: int) -> None:
        if row["epoch"] == 2 and not (folder / "killed").exists():
            (folder / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    from ganglion.training.checkpoint import Checkpoints

    for name in RUNS:
        checkpoint = Checkpoints(folder=folder / f"{name}.run", steps=1, seconds=None)
        fitted(name, checkpoint=checkpoint, resume=True, callbacks=[kill]).save(folder / name)


if __name__ == "__main__":  # a worker: the first one saves
    _worker(Path(sys.argv[1]))
