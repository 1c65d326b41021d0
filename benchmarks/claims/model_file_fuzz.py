"""Ten thousand mutated model files: none runs code, none crashes the process, memory stays bounded.

    python -m benchmarks.claims.model_file_fuzz [COUNT [SEED]]

A mutation flips bits, cuts, inserts, swaps; or knows the format, and lies where checksums cannot tell: it changes the
zip's directory, the manifest, the head of the weights, and then mends every checksum. Each file must be refused with
`InvalidModel`, or load and answer (with predictions, or by refusing data that its manifest does not describe).
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import ganglion as gg
from ganglion.errors import GanglionError, InvalidModel
from ganglion.options import options_of
from ganglion.registry import all_algorithms
from ganglion.training.optimizers import optimizer_by_name

COUNT, SEED = 10_000, 0
HEADROOM = 2**30  # bytes of address space that loading may take beyond what the warm process has
FORBIDDEN = ("exec", "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "pickle.find_class")
FORBIDDEN += ("marshal.loads", "ctypes.dlopen", "socket.connect", "urllib.Request", "import")
MANIFEST, WEIGHTS, CARD = "manifest.json", "weights.safetensors", "README.md"
NAMES = ("../../evil", "/etc/passwd", "manifest.json/", "a" * 300, "C:\\x", "manifest.json\0", "é.json", "data.pkl", "")
WORDS = ("os.system", "__import__('os').system('false')", "sgd(momentum=1e999)", "(" * 300, "-" * 900, "9" * 900, "\0")
WORDS += ("cuda:7", "builtins.eval", "../../../x", "", "MLPRegressor", "quantile", "batch", "categorical", "é\ud800")
NUMBERS = (-1, 0, 1, 2, 255, 2**16, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, 10**400, 0.5, -0.0, 1e308)
ODD = (*WORDS, *NUMBERS, float("nan"), float("inf"), None, True, False, [], {}, [[]], {"pairs": [[[], 1]]})
ODD += ({"function": "f"}, [1] * 50, [2**40] * 3, [10**5] * 200, ["a", "a"], {"a": {"b": []}})

Mutation = Callable[[bytes, np.random.Generator], bytes]


# ---- what is mutated -------------------------------------------------------------------------------------------------


def models(folder: Path) -> list[tuple[bytes, Any, np.ndarray]]:
    """Return small saved models of all kinds: the file, data to ask, and what the model says of them."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=(60, 4))
    numbers[::7, 1] = np.nan
    mixed = {"number": numbers[:, 0], "gap": numbers[:, 1], "kind": random.choice(["a", "b", "c"], 60)}
    labels, images = np.where(numbers[:, 0] > 0, "yes", "no"), random.integers(0, 255, (40, 4, 4), dtype=np.uint8)
    whole = np.nan_to_num(numbers)
    fitted = [
        (gg.MLPClassifier(hidden=(4,), epochs=1, scaling="quantile", random_state=0).fit(mixed, labels), mixed),
        (
            gg.MLPRegressor(hidden=(4, 4), epochs=1, normalization="batch", residual=True).fit(whole, whole[:, :2] + 1),
            whole,
        ),
        (gg.MLPClassifier(hidden=(), epochs=1, class_weight={0: 1.0, 2: 2.0}).fit(images, np.arange(40) % 3), images),
        (gg.Perceptron(epochs=2).fit(whole, np.arange(60) % 2), whole),
    ]
    saved = []
    for i, (model, X) in enumerate(fitted):
        model.save(folder / f"{i}.ganglion")
        saved.append(((folder / f"{i}.ganglion").read_bytes(), X, model.predict(X)))
    return saved


# ---- mutations that know nothing of the format: the file must be refused, or mean the same ---------------------------


def flip_bits(raw: bytes, random: np.random.Generator) -> bytes:
    cells = np.frombuffer(raw, np.uint8).copy()
    places = random.integers(len(cells), size=random.integers(1, 9))
    cells[places] ^= 1 << random.integers(8, size=len(places)).astype(np.uint8)
    return cells.tobytes()


def cut(raw: bytes, random: np.random.Generator) -> bytes:
    return raw[: random.integers(len(raw))]


def cut_out(raw: bytes, random: np.random.Generator) -> bytes:
    begin, end = sorted(random.integers(len(raw), size=2))
    return raw[:begin] + raw[end:]


def insert(raw: bytes, random: np.random.Generator) -> bytes:
    place = random.integers(len(raw) + 1)
    return raw[:place] + random.bytes(int(random.integers(1, 200))) + raw[place:]


def swap_blocks(raw: bytes, random: np.random.Generator) -> bytes:
    a, b, c, d = sorted(random.integers(len(raw) + 1, size=4))
    return raw[:a] + raw[c:d] + raw[b:c] + raw[a:b] + raw[d:]


def overwrite(raw: bytes, random: np.random.Generator) -> bytes:
    place, size = int(random.integers(len(raw))), int(random.integers(1, 64))
    return raw[:place] + pick([b"\0", b"\xff", b"A"], random) * size + raw[place + size :]


def directory_field(raw: bytes, random: np.random.Generator) -> bytes:
    """Change a field of the zip's structure: a local head, the directory, or its end."""
    marks = [i for mark in (b"PK\3\4", b"PK\1\2", b"PK\5\6") for i in _places(raw, mark)]
    place = pick(marks, random) + int(random.integers(4, 46))
    value = pick([0, 1, 8, 12, 0xFFFF, 0xFFFFFFFF, int(random.integers(2**32)), len(raw)], random)
    size = pick([2, 4], random)
    return raw[:place] + (value % 2 ** (8 * size)).to_bytes(size, "little") + raw[place + size :]


# ---- mutations that mend the checksums: the file may mean something else, but must not harm -----------------------


def entries_of_zip(raw: bytes, random: np.random.Generator) -> bytes:
    """Add, drop, repeat, rename or pack an entry."""
    entries = [(name, content, zipfile.ZIP_STORED) for name, content in read(raw).items()]
    i, what = int(random.integers(len(entries))), int(random.integers(5))
    name, content, _ = entries[i]
    if what == 0:
        entries.insert(i, (pick(NAMES, random) or "x", random.bytes(20), zipfile.ZIP_STORED))
    elif what == 1:
        del entries[i]
    elif what == 2:
        entries += [entries[i]] * int(random.integers(1, 40))
    elif what == 3:
        entries[i] = (pick(NAMES, random) or "x", content, zipfile.ZIP_STORED)
    else:
        entries[i] = (name, content + b"\0" * int(random.integers(2**20)), zipfile.ZIP_DEFLATED)
    return write(entries)


def manifest_value(raw: bytes, random: np.random.Generator) -> bytes:
    """Put something odd into the manifest, once or several times."""
    entries = read(raw)
    manifest = json.loads(entries[MANIFEST])
    for _ in range(int(random.integers(1, 4))):
        owner, key = _some_place(manifest, random)
        what = int(random.integers(8))
        if what == 0:
            del owner[key]
        elif what == 1 and isinstance(owner[key], int | float):
            owner[key] = owner[key] * pick([-1, 2, 1000], random) + int(random.integers(-2, 3))
        elif what == 2:
            other, there = _some_place(manifest, random) if manifest else (owner, key)
            owner[key] = json.loads(json.dumps(other[there]))
        elif what == 3 and isinstance(owner, list):
            owner.append(owner[key])
        else:
            owner[key] = copy.deepcopy(pick(ODD, random))
        if not manifest:
            break
    entries[MANIFEST] = json.dumps(manifest).encode("utf-8", "surrogatepass")
    return write([(name, content, zipfile.ZIP_STORED) for name, content in entries.items()])


def manifest_text(raw: bytes, random: np.random.Generator) -> bytes:
    """Replace the manifest by something that is no JSON, or endlessly nested."""
    entries = read(raw)
    texts = (b"", b"null", b"[]", b'"x"', b"{", b"[" * 100_000, b'{"a":' * 20_000, b"1" * 10_000, b"\xff\xfe{}", b"\0")
    text = pick(texts, random) if random.random() < 0.3 else flip_bits(entries[MANIFEST], random)
    entries[MANIFEST] = text
    return write([(name, content, zipfile.ZIP_STORED) for name, content in entries.items()])


def weights_head(raw: bytes, random: np.random.Generator) -> bytes:
    """Lie in the head of the weights: shapes, types, offsets, names, its own length."""
    entries = read(raw)
    weights = entries[WEIGHTS]
    (size,) = struct.unpack("<Q", weights[:8])
    head, body = json.loads(weights[8 : 8 + size]), weights[8 + size :]
    if random.random() < 0.2:
        length = pick([0, 1, size - 1, size + 1, 2**20, 2**40, 2**63, 2**64 - 1], random)
        return reseal(raw, struct.pack("<Q", length) + weights[8:])
    name = pick(list(head), random)
    what = int(random.integers(6))
    if what == 0:
        head[name]["shape"] = [pick([0, 1, 2**31, 2**62], random) for _ in range(int(random.integers(4)))]
    elif what == 1:
        head[name]["dtype"] = pick(["F64", "F16", "BF16", "I64", "BOOL", "F8_E5M2", "X", "F32", "C64"], random)
    elif what == 2:
        head[name]["data_offsets"] = [pick([0, 4, len(body), 2**40], random) for _ in range(2)]
    elif what == 3:
        head[pick(["x", "__metadata__", "body.0", "é"], random)] = head.pop(name)
    elif what == 4:
        head[name]["shape"] = head[name]["shape"][::-1]
    else:
        head[name] = copy.deepcopy(pick(ODD, random))
    text = json.dumps(head).encode("utf-8", "surrogatepass")
    return reseal(raw, struct.pack("<Q", len(text)) + text + body)


def weights_body(raw: bytes, random: np.random.Generator) -> bytes:
    """Change the weights themselves: any bits, so NaN and infinity too."""
    weights = read(raw)[WEIGHTS]
    begin = 8 + struct.unpack("<Q", weights[:8])[0]
    body = weights[begin:]
    changed = pick([b"\xff", b"\x7f", b"\0"], random) * len(body) if random.random() < 0.2 else flip_bits(body, random)
    return reseal(raw, weights[:begin] + changed)


BLIND: tuple[Mutation, ...] = (flip_bits, cut, cut_out, insert, swap_blocks, overwrite, directory_field)
KNOWING: tuple[Mutation, ...] = (entries_of_zip, manifest_value, manifest_text, weights_head, weights_body)
WEIGHTS_OF = {manifest_value: 5, weights_head: 2, directory_field: 2}  # more often: where the format is believed


def pick(among: Sequence[Any], random: np.random.Generator) -> Any:
    return among[int(random.integers(len(among)))]


def read(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(entries: list[tuple[str, bytes, int]]) -> bytes:
    import warnings

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two entries of one name are meant
        for name, content, packed in entries:
            info = zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0))
            info.compress_type = packed
            archive.writestr(info, content)
    return stream.getvalue()


def reseal(raw: bytes, weights: bytes) -> bytes:
    """Return the file with other weights and the checksum that belongs to them."""
    entries = read(raw)
    manifest = json.loads(entries[MANIFEST]) | {"weights_sha256": hashlib.sha256(weights).hexdigest()}
    entries |= {WEIGHTS: weights, MANIFEST: json.dumps(manifest).encode()}
    return write([(name, content, zipfile.ZIP_STORED) for name, content in entries.items()])


def _places(raw: bytes, mark: bytes) -> Iterator[int]:
    place = raw.find(mark)
    while place >= 0:
        yield place
        place = raw.find(mark, place + 1)


def _some_place(manifest: Any, random: np.random.Generator) -> tuple[Any, Any]:
    """Return a list or dictionary somewhere in the manifest, and one of its keys."""
    owner: Any = manifest
    while True:
        keys = list(owner) if isinstance(owner, dict) else range(len(owner))
        key = pick(keys, random)
        inner = owner[key]
        if not (isinstance(inner, list | dict) and inner) or random.random() < 0.25:
            return owner, key
        owner = inner


# ---- the run ---------------------------------------------------------------------------------------------------------


def outcome(path: Path, X: Any, said: np.ndarray, *, blind: bool) -> str:
    """Return what became of a mutated file: "refused", "identical", "different", or what went wrong."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = gg.load(path)
        except InvalidModel:
            return "refused"
        except BaseException as error:
            return f"WRONG: load raised {type(error).__name__}: {error}"
        try:
            answer = model.predict(X)
        except GanglionError:
            return "WRONG: loaded, and refused its own data" if blind else "loaded, refused the data"
        except BaseException as error:
            return f"WRONG: predict raised {type(error).__name__}: {error}"
    if len(answer) != len(said):
        return "WRONG: another number of answers"
    same = answer.dtype.kind == said.dtype.kind and answer.shape == said.shape and bool((answer == said).all())
    return "identical" if same else "WRONG: loaded, and answers differently" if blind else "different"


def run(count: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Mutate `count` times; return how often each outcome came, and one line for each that must not be."""
    random, path = np.random.default_rng(seed), folder / "mutated.ganglion"
    mutations = [mutate for mutate in BLIND + KNOWING for _ in range(WEIGHTS_OF.get(mutate, 1))]
    saved, counts, wrong = models(folder), Counter(), []
    for i in range(count):
        raw, X, said = saved[i % len(saved)]
        mutate = pick(mutations, random)
        path.write_bytes(mutate(raw, random))
        found = outcome(path, X, said, blind=mutate in BLIND)
        if found.startswith("WRONG"):
            wrong.append(f"mutation {i} ({mutate.__name__} of model {i % len(saved)}): {found}")
        counts[found.split(":")[0]] += 1
    return counts, wrong


def _bounded(count: int, seed: int) -> dict[str, Any]:
    """Run in this process, which is made for it: its memory is bounded, and what it executes is watched."""
    forbidden: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        run(60, seed + 1, Path(folder))  # warm: what is imported late, or reads the types of options, has been
        for cls in all_algorithms().values():
            options_of(cls)
        optimizer_by_name("sgd(momentum=0.9)")
        watched = True

        def watch(event: str, args: tuple[Any, ...]) -> None:
            if watched and event in FORBIDDEN:
                forbidden.append(f"{event} {str(args[:1])[:200]}")

        sys.addaudithook(watch)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + HEADROOM, size + HEADROOM))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts, wrong = run(count, seed, Path(folder))
        watched = False
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"counts": dict(counts), "wrong": wrong, "executed": sorted(set(forbidden)), "growth_mib": growth / 1024}


def claim(count: int = COUNT, seed: int = SEED) -> dict[str, Any]:
    """Fuzz in a child process with bounded memory; `holds` says whether the promise was kept."""
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, __file__, "--child", str(count), str(seed)], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    what = f"{count:,} mutated model files: no code runs, no crash, memory bounded"
    if ran.returncode:
        return {"claim": what, "holds": False, "crashed": ran.returncode, "last words": ran.stderr[-2000:]}
    found = json.loads(ran.stdout.splitlines()[-1])
    return {
        "claim": what,
        "holds": not found["wrong"] and not found["executed"],
        **found["counts"],
        "peak memory growth, MiB": round(found["growth_mib"], 1),
        "address space allowed beyond the warm process, MiB": HEADROOM // 2**20,
        "wrong": found["wrong"][:20],
        "executed": found["executed"],
        "seed": seed,
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(_bounded(int(sys.argv[2]), int(sys.argv[3]))))
    else:
        print(json.dumps(claim(*map(int, sys.argv[1:])), indent=1))
