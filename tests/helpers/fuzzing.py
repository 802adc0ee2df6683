"""Read thousands of mutated files of weights, within a bound on memory; nothing may happen but UserError.

As a program: `python -c "from helpers.fuzzing import main; main(FILES, SEED)"` prints what was counted as JSON.
"""

import collections
import json
import pickle
import random
import sys
import tempfile
import traceback
import warnings
from collections import OrderedDict
from pathlib import Path

import numpy as np

from helpers.hostile_weights import safetensors
from helpers.limited_reading import LEAST, limit_memory
from helpers.mutations import mutate
from helpers.torch_writer import save_legacy, save_zip
from video3d.common.errors import UserError
from video3d.weights.import_weights import load_any

UNWANTED = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess",
    "socket",
    "ctypes",
    "exec",
    "compile",
    "import",
)


def small_files(folder: Path) -> dict[str, bytes]:
    """A file of a few hundred bytes of every layout that is read."""
    arrays = OrderedDict(a=np.arange(6, dtype="f4").reshape(2, 3), b=np.asfortranarray(np.ones((2, 2), ">f8")))
    checkpoint = {"epoch": 3, "state_dict": arrays, "optimizer": {"state": {5: arrays["a"]}, "groups": [{"lr": 0.1}]}}
    checkpoint["state_dict"]["b"] = np.arange(80, dtype="f2")
    files = {f"pickle of protocol {protocol}": pickle.dumps(arrays, protocol) for protocol in (2, 3, 4)}
    for name, save in {
        "zip": lambda path: save_zip(path, arrays),
        "zip of a checkpoint": lambda path: save_zip(path, checkpoint, device="cuda:0"),
        "legacy": lambda path: save_legacy(path, checkpoint),
        "legacy of 2017": lambda path: save_legacy(path, arrays, device="cuda:0", old=True),
    }.items():
        save(folder / "w.pth")
        files[name] = (folder / "w.pth").read_bytes()
    header: dict = {"__metadata__": {"format": "pt"}}
    place = 0
    for number, (dtype, size) in enumerate({"F32": 4, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I64": 8}.items()):
        header[f"w{number}"] = {"dtype": dtype, "shape": [2, 2], "data_offsets": [place, place + 4 * size]}
        place += 4 * size
    return files | {"safetensors": safetensors(header, bytes(place))}


def verdict(path: Path) -> str:
    """`read`, if only the network is none of ours; `refused`; or what happened instead."""
    limit_memory(LEAST)
    try:
        load_any(path)
    except UserError as error:
        if isinstance(error.__cause__, MemoryError):
            return "more than its share of memory"
        if not str(error).isprintable():
            return "a message with control characters"
        return "read" if "is of no network" in str(error) else "refused"
    except BaseException:
        return traceback.format_exc()
    finally:
        limit_memory(None)
    return "read"


def main(files: int, seed: int) -> None:
    """Print how often which layout was read and refused, and the first files with which something else happened."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.pth"
        seeds = small_files(Path(folder))
        for content in seeds.values():
            path.write_bytes(content)
            assert verdict(path) == "read", verdict(path)
        chance, counts, failures, unwanted = random.Random(seed), collections.Counter(), [], []
        sys.addaudithook(lambda event, _: unwanted.append(event) if event.startswith(UNWANTED) else None)
        warnings.simplefilter("ignore")  # some archives have a name twice
        for number in range(files):
            name, content = mutate(seeds, chance)
            path.unlink()  # writing over a file waits for the disk
            path.write_bytes(content)
            unwanted.clear()
            found = verdict(path)
            counts[found if found in ("read", "refused") else "failed"] += 1
            if found not in ("read", "refused") or unwanted:
                failures.append(f"file {number}, of {name}: {found} {unwanted} {content[:300]!r}")
    print(json.dumps({"counts": counts, "failures": failures[:5]}))
