"""Files of weights made wrong in every way that their formats allow: by instruction, member, header entry and byte."""

import io
import json
import pickletools
import random
import re
import struct
import zipfile
from collections.abc import Callable
from functools import lru_cache

EXTREMES = (0, 1, 2, 7, 8, 127, 128, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1)
WORDS = (
    b"a", b"", b"f4", b"f8", b"O8", b"V8", b"f2,f4", b"M8", b"latin1", b"rot13", b"idna", b"0", b"1", b"../../x",
    b"state_dict", b"storage", b"os", b"system", b"builtins", b"eval",
    b"collections", b"OrderedDict", b"numpy", b"ndarray", b"dtype",
    b"torch", b"FloatStorage", b"BFloat16Storage", b"Size", b"torch._utils", b"_rebuild_parameter", b"__class__",
    b"StructuredToParameterName@@", b"conv1.weight", b"\x1b[31m", b"\xff\xfe", "\N{GRINNING FACE}".encode(), b"x" * 300,
)  # fmt: skip
DTYPES = ("F32", "F64", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I64", "U8", "BOOL", "C64", "F4", "", None, 7, ["F32"], {})


def mutate(seeds: dict[str, bytes], chance: random.Random) -> tuple[str, bytes]:
    """A seed's name, and the seed with one to four things wrong."""
    name = chance.choice(list(seeds))
    content = seeds[name]
    structured = {b"PK": _archive, b"\x80": _pickles}.get(content[:2], {b"\x80": _pickles}.get(content[:1], _header))
    for _ in range(chance.randint(1, 4)):
        change = structured if chance.random() < 0.8 else _bytes
        try:
            content = change(content, seeds, chance)
        except Exception:  # it is too broken for a change by structure
            content = _bytes(content, seeds, chance)
    return name, content


def _bytes(content: bytes, seeds: dict[str, bytes], chance: random.Random) -> bytes:
    """Some bytes are others, more, fewer, or of another file."""
    place = chance.randrange(len(content) + 1)
    size = chance.choice((1, 1, 1, 2, 4, 8, 64))
    match chance.randrange(6):
        case 0:
            return content[:place] + chance.randbytes(size) + content[place + size :]
        case 1:
            return content[:place] + chance.randbytes(size) + content[place:]
        case 2:
            return content[:place] + content[place + size :]
        case 3:
            return content[:place]
        case 4:
            number = chance.choice(EXTREMES).to_bytes(8, "little")[: chance.choice((1, 2, 4, 8))]
            return content[:place] + number + content[place + len(number) :]
        case _:
            other = chance.choice(list(seeds.values()))
            start = chance.randrange(len(other))
            return content[:place] + other[start : start + size * 8] + content[place:]


@lru_cache(64)
def _instructions(content: bytes) -> list[bytes]:
    """The instructions of the pickles at the start of a file, and what follows as it is."""
    parts, start = [], 0
    while content[start : start + 1] == b"\x80":
        places = [place for _code, _argument, place in pickletools.genops(io.BytesIO(content[start:]))]
        ends = [*places[1:], places[-1] + 1]
        parts += [content[start + first : start + end] for first, end in zip(places, ends, strict=True)]
        start += ends[-1]
    return [*parts, content[start:]]


def _pickles(content: bytes, seeds: dict[str, bytes], chance: random.Random) -> bytes:
    """An instruction is gone, another, doubled, repeated, moved, or has another argument."""
    parts = list(_instructions(content))
    place, other = (chance.randrange(len(parts)) for _ in range(2))
    match chance.randrange(9):
        case 0:
            del parts[place]
        case 1:
            parts.insert(other, parts[place])
        case 2:
            parts[place], parts[other] = parts[other], parts[place]
        case 3:
            parts[place] = _random_instruction(chance)
        case 4:
            parts.insert(place, _random_instruction(chance))
        case 5:
            parts.insert(place, parts[other][:16] * 2 ** chance.randrange(11))
        case 6:
            parts.insert(
                place, chance.choice((b"\x85", b"]", b"}", b"(", b")", b"\x94", b"h\x00")) * 2 ** chance.randrange(11)
            )
        case 7:
            parts[place] = parts[place][:1] + _argument(parts[place][:1], chance)
        case _:
            spliced = _instructions(next(value for value in seeds.values() if value[:1] == b"\x80"))
            start = chance.randrange(len(spliced))
            parts[place:place] = spliced[start : start + chance.randint(1, 20)]
    return b"".join(parts)


CODES = {code.code.encode("latin1"): code for code in pickletools.opcodes}


def _random_instruction(chance: random.Random) -> bytes:
    code = chance.choice(list(CODES))
    return code + _argument(code, chance)


def _argument(code: bytes, chance: random.Random) -> bytes:
    """An argument of the kind that the instruction has: text with its length, or a number, often not as announced."""
    kind = CODES[code].arg if code in CODES else None
    if kind is None:
        return b""
    word = chance.choice(WORDS)
    size = len(word) if chance.random() < 0.7 else chance.choice(EXTREMES)
    if kind.name.startswith("stringnl_noescape_pair"):
        return word + b"\n" + chance.choice(WORDS) + b"\n"
    if kind.n == pickletools.UP_TO_NEWLINE:
        return word + b"\n"
    lengths = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4}
    lengths |= {pickletools.TAKEN_FROM_ARGUMENT4U: 4, pickletools.TAKEN_FROM_ARGUMENT8U: 8}
    if kind.n < 0:
        return size.to_bytes(8, "little")[: lengths[kind.n]] + word
    return chance.choice(EXTREMES).to_bytes(8, "little")[: kind.n].ljust(kind.n, b"\0")


def _archive(content: bytes, seeds: dict[str, bytes], chance: random.Random) -> bytes:
    """A member is gone, doubled, another, compressed, renamed, or changed by its own structure."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name), zipfile.ZIP_STORED) for name in archive.namelist()]
    place = chance.randrange(len(members))
    name, value, _ = members[place]
    match chance.randrange(8):
        case 0:
            del members[place]
        case 1:
            members.append((chance.choice(members)[0], value, zipfile.ZIP_STORED))
        case 2:
            members[place] = (name, value, chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)))
        case 3:
            members[place] = (name + chance.choice(WORDS).decode("latin1"), value, zipfile.ZIP_STORED)
        case 4:
            members[place] = (name, _bytes(value, seeds, chance), zipfile.ZIP_STORED)
        case _:
            index = next(i for i, member in enumerate(members) if member[0].endswith("data.pkl"))
            name, value, method = members[index]
            members[index] = (name, _pickles(value, seeds, chance), method)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value, method in members:
            archive.writestr(name, value, method)
    content = bytearray(buffer.getvalue())
    if chance.random() < 0.3:  # a field of the directory says something else
        entry = chance.choice([match.start() for match in re.finditer(b"PK(\x01\x02|\x05\x06)", content)])
        offset, size = chance.choice(
            ((4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 4), (24, 4), (28, 2), (42, 4))
        )
        content[entry + offset : entry + offset + size] = chance.choice(EXTREMES).to_bytes(8, "little")[:size]
    return bytes(content)


def _header(content: bytes, _seeds: dict[str, bytes], chance: random.Random) -> bytes:
    """An entry of a header of safetensors is gone, renamed, doubled, or says something else."""
    length = int.from_bytes(content[:8], "little")
    header, numbers = json.loads(content[8 : 8 + length]), content[8 + length :]
    name = chance.choice(sorted(header))
    entry = header[name] if isinstance(header[name], dict) else {}
    word = chance.choice(WORDS).decode("latin1")
    change: Callable[[], object] = chance.choice(
        [
            lambda: header.pop(name),
            lambda: header.update({word: header.pop(name)}),
            lambda: header.update({word: entry}),
            lambda: entry.pop(chance.choice(sorted(entry)), None) if entry else None,
            lambda: entry.update(dtype=chance.choice(DTYPES)),
            lambda: entry.update(
                shape=chance.choice((word, None, [], [[1]], [1.5], [True], [chance.choice(EXTREMES)] * 3))
            ),
            lambda: entry.update(shape=[-1, *entry.get("shape", [])] if isinstance(entry.get("shape"), list) else 1),
            lambda: entry.update(data_offsets=[chance.choice(EXTREMES), chance.choice(EXTREMES)]),
            lambda: entry.update(data_offsets=chance.choice((None, [], [0], "01", [0, 0.5], [0, 4, 8]))),
            lambda: header.update({name: chance.choice(([], None, 1, "x", {"dtype": {}}))}),
        ]
    )
    change()
    text = json.dumps(header).encode()
    if chance.random() < 0.1:
        nested = 2 ** chance.randrange(12)
        text = text.replace(b"[", b"[" * nested, 1)
    size = len(text) if chance.random() < 0.9 else chance.choice(EXTREMES)
    return struct.pack("<Q", size) + text + numbers
