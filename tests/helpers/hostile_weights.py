"""Files of weights, made by hand, that crash, hang or fill a reader which believes what they say."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable

FLOAT_STORAGE = b"ctorch\nFloatStorage\n"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
CALL = b"cnumpy.core.multiarray\n_reconstruct\n"


def text(content: str) -> bytes:
    return b"X" + struct.pack("<I", len(content.encode())) + content.encode()


def integer(value: int) -> bytes:
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def shared_tuples(levels: int) -> bytes:
    """(t, t, t) with t the level before: 3^levels parts, in three instructions each."""
    return b")" + b"".join(b"\x94" + b"h" + bytes([level]) + b"h" + bytes([level]) + b"\x87" for level in range(levels))


def archive(pickled: bytes, members: dict[str, bytes] | None = None, compress: tuple[str, ...] = ()) -> bytes:
    """A ZIP of torch.save's layout with this pickle; the members named in `compress` are compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in {"data.pkl": pickled, **(members or {})}.items():
            method = zipfile.ZIP_DEFLATED if name in compress else zipfile.ZIP_STORED
            file.writestr(f"archive/{name}", content, method, compresslevel=1)
    return buffer.getvalue()


def legacy(pickled: bytes, keys: bytes, storages: bytes = b"") -> bytes:
    """The layout before PyTorch 1.6."""
    headers = (pickle.dumps(header, protocol=2) for header in (0x1950A86A20F9469CFC6C, 1001, {}))
    return b"".join(headers) + pickled + keys + storages


def storage(key: bytes, size: int) -> bytes:
    """A reference to a storage of float32; `key` is whatever instructions push."""
    return b"(" + text("storage") + FLOAT_STORAGE + key + text("cpu") + integer(size) + b"tQ"


def tensor(place: bytes, shape: tuple[int, ...], strides: tuple[int, ...] = (1,)) -> bytes:
    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(integer, values)) + b"t"

    return REBUILD + b"(" + place + b"K\x00" + numbers(shape) + numbers(strides) + b"\x89})tR"


def state_dict(entries: dict[str, bytes]) -> bytes:
    return b"\x80\x02}(" + b"".join(text(name) + value for name, value in entries.items()) + b"u."


def array(data: bytes, shape: bytes, kind: bytes = text("f4")) -> bytes:
    """A NumPy array; data, shape and type are whatever instructions push."""
    made = CALL + b"(cnumpy\nndarray\n)K\x00tR"
    return made + b"(K\x01" + shape + b"cnumpy\ndtype\n(" + kind + b"K\x00K\x01tR\x89" + data + b"tb"


def safetensors(header: bytes | dict, numbers: bytes = b"") -> bytes:
    content = json.dumps(header).encode() if isinstance(header, dict) else header
    return struct.pack("<Q", len(content)) + content + numbers


def _aliased(megabytes: int) -> bytes:
    count = megabytes << 18
    first, same = storage(text("0"), count) + b"q\x00", b"h\x00"
    tensors = {f"w{i}": tensor(same if i else first, (count,)) for i in range(40)}
    return archive(state_dict(tensors), {"data/0": bytes(4 * count)})


def _aliased_arrays(megabytes: int) -> bytes:
    data = b"B" + struct.pack("<I", megabytes << 20) + bytes(megabytes << 20) + b"q\x00"
    shape = integer(megabytes << 18) + b"\x85"
    return state_dict({f"w{i}": array(b"h\x00" if i else data, shape) for i in range(40)})


def _members(count: int) -> bytes:
    """An archive whose directory names one empty member many times."""
    one = archive(b"")
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[start:end]
    closing = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0, 0, count * len(entry), start, 0)
    return one[:start] + count * entry + closing


def _overlapping_members() -> bytes:
    """Storages whose entries in the directory all point at the same bytes."""
    count = 1 << 20
    tensors = {f"w{i}": tensor(storage(text(str(i)), count), (count,)) for i in range(10)}
    content = bytearray(
        archive(state_dict(tensors), {"data/0": bytes(4 * count), **{f"data/{i}": b"" for i in range(1, 10)}})
    )
    places = [content.index(b"PK\x01\x02")]
    while (place := content.find(b"PK\x01\x02", places[-1] + 4)) >= 0:
        places.append(place)
    for place in places[2:]:
        content[place + 16 : place + 28] = content[places[1] + 16 : places[1] + 28]
        content[place + 42 : place + 46] = content[places[1] + 42 : places[1] + 46]
    return bytes(content)


def _colliding_integers() -> bytes:
    """Keys that are all the same modulo 2^61 - 1, so that a dict looks at all of them for each."""
    keys = ((2**61 - 1) * factor for factor in range(1, 80_000))
    return b"\x80\x02}(" + b"".join(b"\x8a\x0b" + key.to_bytes(11, "little") + b"N" for key in keys) + b"u."


MEGABYTES = 64
HALF, DEEP, DEEPER = 100_000, 200_000, 3_000_000  # instructions: about half of the budget, all of it, far more
HOSTILE: dict[str, Callable[[], bytes]] = {
    "deep tuple as key": lambda: b"\x80\x04})" + b"\x85" * DEEPER + b"\x8c\x01as.",
    "tuple as key, as deep as the budget allows": lambda: b"\x80\x04})" + b"\x85" * DEEP + b"\x8c\x01as.",
    "deep tuple as value": lambda: b"\x80\x04}\x8c\x01a)" + b"\x85" * DEEP + b"s.",
    "deep lists": lambda: b"\x80\x04" + b"]" * HALF + b"a" * (HALF - 1) + b".",
    "deep dicts": lambda: b"\x80\x04" + b"}K\x00" * 70_000 + b"N" + b"s" * 70_000 + b".",
    "deep marks": lambda: b"\x80\x04" + b"(" * HALF + b"t" * (HALF - 1) + b".",
    "deep tuple as storage key": lambda: archive(
        state_dict({"a": tensor(storage(b")" + b"\x85" * DEEP, 1), (1,))}),
    ),
    "deep tuple as a key of legacy storages": lambda: legacy(
        state_dict({"a": tensor(storage(text("0"), 1), (1,))}), b"\x80\x02])" + b"\x85" * DEEP + b"a."
    ),
    "shared tuples, 18 levels": lambda: b"\x80\x04}" + shared_tuples(18) + b"\x8c\x01as.",
    "shared tuples, 60 levels": lambda: b"\x80\x04}" + shared_tuples(60) + b"\x8c\x01as.",
    "shared tuples as storage key": lambda: archive(state_dict({"a": tensor(storage(shared_tuples(60), 1), (1,))})),
    "shared tuples as type": lambda: state_dict({"a": array(text("abcd"), b"K\x01\x85", shared_tuples(60))}),
    "shared tuples as encoding": lambda: b"\x80\x02c_codecs\nencode\n" + text("a") + shared_tuples(60) + b"\x86R.",
    "shared tuples as name of a function": lambda: b"\x80\x04" + shared_tuples(60) + b"\x94h\x00\x93.",
    "memo index": lambda: b"\x80\x04Nr\x00\x00\x00\x18.",
    "memo index of 32 bits": lambda: b"\x80\x04Nr\xff\xff\xff\xff.",
    "colliding integers as keys": _colliding_integers,
    "long integer": lambda: b"\x80\x04\x8b" + struct.pack("<i", 2_000_000) + b"\x7f" * 2_000_000 + b".",
    "decimal integer": lambda: b"I" + b"9" * 2_000_000 + b"\n.",
    "endless line": lambda: b"c" + b"a" * 5_000_000,
    "bytes of 2^62": lambda: b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "text of 2^62": lambda: b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"abc.",
    "frame of 2^62": lambda: b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"}.",
    "millions of dicts": lambda: b"\x80\x04" + b"}" * DEEPER,
    "dicts, as many as the budget allows": lambda: b"\x80\x04" + b"}" * 240_000,
    "ordered dicts of one long list": lambda: (
        b"\x80\x04ccollections\nOrderedDict\n\x94](" + b"N" * 100_000 + b"e\x94" + b"h\x00h\x01\x85R" * 30_000 + b"."
    ),
    "shapes of one long list": lambda: archive(
        b"\x80\x04ctorch\nSize\n\x94](" + b"K\x01" * 100_000 + b"e\x94" + b"h\x00h\x01\x85R" * 30_000 + b"."
    ),
    "texts of wide characters": lambda: b"\x80\x04](" + (b"\x8c\xf4" + b"a" * 240 + "😀".encode()) * 50_000 + b"e.",
    "shape of long integers": lambda: state_dict(
        {"a": array(text("abcd"), b"(" + (b"\x8a\x10" + b"\x7f" * 16) * 100_000 + b"t")}
    ),
    "text of wide characters as numbers": lambda: state_dict(
        {"a": array(b"X" + struct.pack("<I", 40_000_004) + b"a" * 40_000_000 + "😀".encode(), b"K\x01\x85")}
    ),
    "40 arrays of the same bytes": lambda: _aliased_arrays(MEGABYTES),
    "40 tensors of one storage": lambda: _aliased(MEGABYTES),
    "tensor of 2^40 numbers in a storage of one": lambda: archive(
        state_dict({"a": tensor(storage(text("0"), 1), (1 << 40,), (0,))}), {"data/0": bytes(4)}
    ),
    "storage of 2^60 numbers": lambda: archive(
        state_dict({"a": tensor(storage(text("0"), 1 << 60), (1,))}), {"data/0": bytes(4)}
    ),
    "legacy storage of 2^60 numbers": lambda: legacy(
        state_dict({"a": tensor(storage(text("0"), 1 << 60), (1,))}),
        pickle.dumps(["0"], protocol=2),
        struct.pack("<Q", 1 << 60) + bytes(4),
    ),
    "compressed storage": lambda: archive(
        state_dict({"a": tensor(storage(text("0"), 1 << 26), (1 << 26,))}), {"data/0": bytes(1 << 28)}, ("data/0",)
    ),
    "compressed pickle": lambda: archive(bytes(1 << 28), compress=("data.pkl",)),
    "compressed byte order": lambda: archive(state_dict({}), {"byteorder": bytes(1 << 28)}, ("byteorder",)),
    "large pickle": lambda: archive(b"\x80\x02](" + b"N" * 30_000_000 + b"e."),
    "members without end": lambda: _members(400_000),
    "members on top of each other": _overlapping_members,
    "header of 2^62 bytes": lambda: struct.pack("<Q", 2**62) + b'{"a":1}',
    "header of 24 MB": lambda: safetensors(b'{"a":[' + b"[]," * 8_000_000 + b"0]}"),
    "header as large as allowed": lambda: safetensors(b'{"a":[' + b"[]," * 349_000 + b"0]}"),
    "deep header": lambda: safetensors(b'{"a":' + b"[" * 1_000_000),
    "long number in a header": lambda: safetensors(b'{"a":' + b"9" * 1_000_000 + b"}"),
    "shape that overflows": lambda: safetensors(
        {"a": {"dtype": "F32", "shape": [1 << 33, 1 << 33], "data_offsets": [0, 0]}}
    ),
    "tensors on top of each other": lambda: safetensors(
        {f"a{i}": {"dtype": "U8", "shape": [1 << 24], "data_offsets": [0, 1 << 24]} for i in range(40)}, bytes(1 << 24)
    ),
}
