"""Write files as `torch.save` does, in its layouts of several years, without PyTorch."""

import io
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

STORAGES = {"f4": "FloatStorage", "f2": "HalfStorage", "f8": "DoubleStorage", "i8": "LongStorage"}


def save_zip(path: Path, content: object, device: str = "cpu") -> None:
    """The layout since PyTorch 1.6."""
    pickled, storages = _pickle(content, "torch", device, old=False)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", pickled)
        archive.writestr(f"{path.stem}/byteorder", "little")
        for key, values in storages.items():
            archive.writestr(f"{path.stem}/data/{key}", values.tobytes())
        archive.writestr(f"{path.stem}/version", "3\n")


def save_legacy(path: Path, content: object, device: str = "cpu", old: bool = False) -> None:
    """The layout before; `old` is that of 2017, when the paper's files were written."""
    module = "torch.cuda" if old and device.startswith("cuda") else "torch"
    pickled, storages = _pickle(content, module, device, old)
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as file:
        for header in (0x1950A86A20F9469CFC6C, 1001, facts):
            pickle.dump(header, file, protocol=2)
        file.write(pickled)
        pickle.dump(sorted(storages), file, protocol=2)
        for key in sorted(storages):
            file.write(struct.pack("<q", storages[key].size) + storages[key].tobytes())


class _Storage:
    def __init__(self, values: np.ndarray):
        self.values = values


class _Tensor:
    def __init__(self, values: np.ndarray, rebuild, rest: tuple):
        # A matrix lies in memory as its transpose, so that strides matter.
        memory = np.array(values.T if values.ndim == 2 else values, order="C")
        view = memory.T if values.ndim == 2 else memory
        self.strides = tuple(stride // values.itemsize for stride in view.strides)
        self.shape, self.storage, self.rebuild, self.rest = values.shape, _Storage(memory.ravel()), rebuild, rest

    def __reduce__(self):
        return self.rebuild, (self.storage, 0, self.shape, self.strides, *self.rest)


def _pickle(content: object, storage_module: str, device: str, old: bool) -> tuple[bytes, dict[str, np.ndarray]]:
    storages: dict[str, np.ndarray] = {}
    with _torch_modules(storage_module, "_rebuild_tensor" if old else "_rebuild_tensor_v2") as (rebuild, kinds):

        class Pickler(pickle.Pickler):
            def persistent_id(self, thing):
                if not isinstance(thing, _Storage):
                    return None
                key = str(len(storages))
                storages[key] = thing.values
                reference = ("storage", kinds[thing.values.dtype.str[1:]], key, device, thing.values.size)
                return reference if not self.legacy else (*reference, None)

        def tensors(value):
            if isinstance(value, np.ndarray):
                return _Tensor(value, rebuild, () if old else (False, OrderedDict()))
            if isinstance(value, dict):
                return type(value)((key, tensors(item)) for key, item in value.items())
            return value

        buffer = io.BytesIO()
        pickler = Pickler(buffer, protocol=2)
        pickler.legacy = old
        pickler.dump(tensors(content))
    return buffer.getvalue(), storages


@contextmanager
def _torch_modules(storage_module: str, rebuild_name: str):
    """Modules that exist just long enough for pickle to write their names."""
    modules = {name: ModuleType(name) for name in ("torch", "torch._utils", "torch.cuda")}

    def rebuild():
        pass

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", rebuild_name
    setattr(modules["torch._utils"], rebuild_name, rebuild)
    kinds = {kind: type(name, (), {"__module__": storage_module}) for kind, name in STORAGES.items()}
    for kind in kinds.values():
        setattr(modules[storage_module], kind.__name__, kind)
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield rebuild, kinds
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
