"""The frame pack: all frames of one class as JPEGs in a zip that is stored, not compressed.

Members are called `<video>/img_00001.jpg`, 1-based without holes, so that `unzip` gives the folders of raw frames that
other tools read. The central directory is the index, a frame is found by its offset in the mapped file, and every
frame carries a CRC. Dates and attributes are fixed: equal frames give equal bytes.

Source of the format: PKWARE, ".ZIP File Format Specification" (APPNOTE.TXT), version 6.3.10, sections 4.3 and 4.4.
"""

import hashlib
import mmap
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from video3d.common.errors import UserError

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
ZIP64_EXTRA = struct.Struct("<2HQ")
END = struct.Struct("<4s4H2LH")
ZIP64_END = struct.Struct("<4sQ2H2L4Q")
ZIP64_LOCATOR = struct.Struct("<4sLQL")
LOCAL_SIGNATURE, CENTRAL_SIGNATURE, END_SIGNATURE = b"PK\3\4", b"PK\1\2", b"PK\5\6"
ZIP64_END_SIGNATURE, ZIP64_LOCATOR_SIGNATURE = b"PK\6\6", b"PK\6\7"
VERSION, VERSION_OF_ZIP64, UNIX = 20, 45, 3 << 8
STORED, FIRST_OF_JANUARY_1980, READABLE = 0, (1 << 5) | 1, 0o100644 << 16
BUFFER_BYTES = 1 << 20
ALL_16_BITS, ALL_32_BITS = 0xFFFF, 0xFFFFFFFF  # "the value is in the zip64 record"


class VideoFacts(NamedTuple):
    """What a pack holds of one video: frames, bytes of JPEG, and 16 hexadecimal digits of the frames' SHA-256."""

    frames: int
    bytes: int
    content: str


class PackWriter:
    """A pack being written; as a context manager it takes its name only when it is whole.

    Until then it is the hidden file `partial` beside it. An error removes that file; what a killed process left of it
    can be continued with `resume`.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.partial = self.path.with_name(f".{self.path.name}.partial")
        self._directory = bytearray()
        self._members = 0
        self._end = 0

    def __enter__(self) -> "PackWriter":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.partial.open("r+b" if self.partial.exists() else "w+b", buffering=BUFFER_BYTES)
        self._file.truncate(self._end)
        self._file.seek(self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            if kind is None:
                self._file.write(self._directory + self._end_records())
                self._file.flush()
                os.fsync(self._file.fileno())
        if kind is None:
            self.partial.replace(self.path)
        elif issubclass(kind, Exception):
            self.partial.unlink()

    @property
    def size(self) -> int:
        """Bytes that the frames added so far take in the pack."""
        return self._end

    def resume(self, size: int) -> bool:
        """Go on after the first `size` bytes of what a killed process left, if they are whole; before `with`."""
        if not self.partial.is_file() or self.partial.stat().st_size < size:
            return False
        with self.partial.open("rb") as file:
            while self._end < size and (member := _read_member(file)):
                name, crc, length = member
                self._index(name, crc, length)
        whole = self._end == size
        if not whole:
            self._directory.clear()
            self._members = self._end = 0
        return whole

    def add(self, video: str, jpegs: Iterable[bytes]) -> VideoFacts:
        """Append the frames of one video as they come; at most one of them is held in memory."""
        frames = total = 0
        content = hashlib.sha256()
        for frames, jpeg in enumerate(jpegs, 1):
            name = b"%b/img_%05d.jpg" % (video.encode(), frames)
            length, crc = len(jpeg), zlib.crc32(jpeg)
            self._file.write(_local_header(name, crc, length) + jpeg)
            self._index(name, crc, length)
            content.update(jpeg)
            total += length
        self._file.flush()
        return VideoFacts(frames, total, content.hexdigest()[:16])

    def _index(self, name: bytes, crc: int, length: int) -> None:
        far = self._end >= ALL_32_BITS
        extra = ZIP64_EXTRA.pack(1, 8, self._end) if far else b""
        version, offset = (VERSION_OF_ZIP64, ALL_32_BITS) if far else (VERSION, self._end)
        self._directory += CENTRAL.pack(
            CENTRAL_SIGNATURE, UNIX | version, version, 0, STORED, 0, FIRST_OF_JANUARY_1980, crc, length, length,
            len(name), len(extra), 0, 0, 0, READABLE, offset,
        )  # fmt: skip
        self._directory += name + extra
        self._members += 1
        self._end += LOCAL.size + len(name) + length

    def _end_records(self) -> bytes:
        start, size, members = self._end, len(self._directory), self._members
        records = b""
        if start >= ALL_32_BITS or members >= ALL_16_BITS:
            records = ZIP64_END.pack(
                ZIP64_END_SIGNATURE, ZIP64_END.size - 12, UNIX | VERSION_OF_ZIP64, VERSION_OF_ZIP64, 0, 0,
                members, members, size, start,
            )  # fmt: skip
            records += ZIP64_LOCATOR.pack(ZIP64_LOCATOR_SIGNATURE, 0, start + size, 1)
            start, members = min(start, ALL_32_BITS), min(members, ALL_16_BITS)
        return records + END.pack(END_SIGNATURE, 0, 0, members, members, size, start, 0)


class Places(NamedTuple):
    """Of each frame of one video in a pack: its start, length and CRC, and whether it has been compared with that."""

    starts: array
    lengths: array
    crcs: array
    checked: bytearray

    @classmethod
    def none(cls) -> "Places":
        """Those of no frame."""
        return cls(array("Q"), array("I"), array("I"), bytearray())


class Pack:
    """A pack for reading, mapped into memory; any number of threads may read from it.

    `videos` gives the number of frames by video name. Raises UserError if the file is no whole pack.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        try:
            with self.path.open("rb") as file:
                self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except FileNotFoundError:
            raise UserError(f"frame pack {self.path} does not exist") from None
        except ValueError as error:
            raise self._broken(str(error)) from error
        try:
            self._index = self._read_index()
        except (struct.error, ValueError, IndexError) as error:
            raise self._broken(str(error)) from error
        self.videos = {video: len(places.starts) for video, places in self._index.items()}

    def jpegs(self, video: str, indices: Iterable[int]) -> list[memoryview]:
        """These frames (0-based) of `video`, without copying them.

        Raises UserError that names class, video and frame if there is none or if its bytes are not those written. That
        is checked the first time, as a check gives up the interpreter's lock: in every epoch it would cost 6 %.
        """
        starts, lengths, crcs, checked = self._index.get(video) or Places.none()
        found = []
        for index in indices:
            if not 0 <= index < len(starts):
                raise self._missing(video, index)
            start, length = starts[index], lengths[index]
            jpeg = self._bytes[start : start + length]
            if not checked[index]:
                if len(jpeg) != length or zlib.crc32(jpeg) != crcs[index]:
                    raise self._damaged(video, index)
                checked[index] = True
            found.append(jpeg)
        return found

    def _read_index(self) -> dict[str, Places]:
        index: dict[str, Places] = {}
        for name, start, length, crc in self._read_directory():
            video, _, frame = name.rpartition("/")
            if video not in index:
                index[video] = Places.none()
            starts, lengths, crcs, checked = index[video]
            if frame != f"img_{len(starts) + 1:05d}.jpg":
                raise ValueError(f"expected {video}/img_{len(starts) + 1:05d}.jpg, found {name}")
            starts.append(start)
            lengths.append(length)
            crcs.append(crc)
            checked.append(False)
        return index

    def _read_directory(self) -> Iterator[tuple[str, int, int, int]]:
        """Name, start of the content, its length and CRC of every member, in the order of the central directory."""
        members, position = self._find_directory()
        for _ in range(members):
            signature, _, _, _, method, _, _, crc, _, length, name_size, extra_size, comment_size, _, _, _, offset = (
                CENTRAL.unpack_from(self._bytes, position)
            )
            position += CENTRAL.size
            if signature != CENTRAL_SIGNATURE or method != STORED:
                raise ValueError("its directory is damaged or its members are compressed")
            name = str(self._bytes[position : position + name_size], "utf-8")
            if offset == ALL_32_BITS:
                offset = ZIP64_EXTRA.unpack_from(self._bytes, position + name_size)[2]
            position += name_size + extra_size + comment_size
            yield name, offset + LOCAL.size + name_size, length, crc  # `PackWriter` adds no extra field there

    def _find_directory(self) -> tuple[int, int]:
        """Number of members and position of the central directory."""
        end = len(self._bytes) - END.size
        signature, _, _, _, members, _, start, _ = END.unpack_from(self._bytes, max(end, 0))
        if signature != END_SIGNATURE:
            raise ValueError("its end is missing")
        if members == ALL_16_BITS or start == ALL_32_BITS:
            locator = ZIP64_LOCATOR.unpack_from(self._bytes, end - ZIP64_LOCATOR.size)
            *_, members, _, start = ZIP64_END.unpack_from(self._bytes, locator[2])
        return members, start

    def _broken(self, reason: str) -> UserError:
        return UserError(
            f"{self.path} is not a whole frame pack ({reason}); delete it and run the workflow again to extract the "
            f"frames of class {self.path.stem} anew"
        )

    def _damaged(self, video: str, index: int) -> UserError:
        return UserError(
            f"class {self.path.stem}, video {video}, frame {index + 1}: damaged in {self.path}; "
            f"delete that file and run the workflow again to extract its frames anew"
        )

    def _missing(self, video: str, index: int) -> UserError:
        frames = self.videos.get(video, 0)
        return UserError(
            f"class {self.path.stem}, video {video}, frame {index + 1}: not in {self.path}, which has {frames} frames "
            f"of this video; the split tables are older than the pack: run the workflow again"
        )


def _local_header(name: bytes, crc: int, length: int) -> bytes:
    return LOCAL.pack(
        LOCAL_SIGNATURE, VERSION, 0, STORED, 0, FIRST_OF_JANUARY_1980, crc, length, length, len(name), 0
    ) + name  # fmt: skip


def _read_member(file: BinaryIO) -> tuple[bytes, int, int] | None:
    """Name, CRC and length of the member at the file's position, or None if it is not whole."""
    header = file.read(LOCAL.size)
    if len(header) < LOCAL.size or not header.startswith(LOCAL_SIGNATURE):
        return None
    *_, crc, length, _, name_size, _ = LOCAL.unpack(header)
    name, data = file.read(name_size), file.read(length)
    return (name, crc, length) if len(data) == length and zlib.crc32(data) == crc else None
