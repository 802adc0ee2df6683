"""The frame pack: all frames of one class as JPEGs in a zip that is stored, not compressed.

Members are called `<video>/img_00001.jpg`, 1-based without holes, so that `unzip` gives the folders of raw frames that
other tools read. The central directory is the index, a frame is found by its offset in the mapped file, and every
frame carries a CRC. Equal frames give equal bytes. Python's zipfile writes packs; it would read them too slowly, as it
makes an object of each frame.

Source of the format: PKWARE, ".ZIP File Format Specification" (APPNOTE.TXT), version 6.3.10, sections 4.3 and 4.4.
"""

import hashlib
import mmap
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from video3d.common.errors import UserError
from video3d.common.stored_zip import StoredZip

# How long a file's header is before its name, and how entries of the directory and of the end are laid out.
LOCAL_HEADER_BYTES = 30
CENTRAL = struct.Struct("<4s6H3L5H2L")
ZIP64_EXTRA = struct.Struct("<2HQ")
END = struct.Struct("<4s4H2LH")
ZIP64_END = struct.Struct("<4sQ2H2L4Q")
ZIP64_LOCATOR = struct.Struct("<4sLQL")
CENTRAL_SIGNATURE, END_SIGNATURE, ZIP64_LOCATOR_SIGNATURE = b"PK\1\2", b"PK\5\6", b"PK\6\7"
STORED = 0
ALL_32_BITS = 0xFFFFFFFF  # "the value is in the zip64 record"


class VideoFacts(NamedTuple):
    """What a pack holds of one video: frames, bytes of JPEG, and 16 hexadecimal digits of the frames' SHA-256."""

    frames: int
    bytes: int
    content: str


class PackWriter(AbstractContextManager):
    """A pack being written; it takes its name only when it is whole, and an error leaves nothing."""

    def __init__(self, path: str | os.PathLike):
        self._archive = StoredZip(path)

    def __enter__(self) -> "PackWriter":
        self._archive.__enter__()
        return self

    def __exit__(self, *raised) -> bool | None:
        return self._archive.__exit__(*raised)

    def add(self, video: str, jpegs: Iterable[bytes]) -> VideoFacts:
        """Append the frames of one video as they come; at most one of them is held in memory."""
        frames = total = 0
        content = hashlib.sha256()
        for frames, jpeg in enumerate(jpegs, 1):
            self._archive.add(f"{video}/img_{frames:05d}.jpg", jpeg)
            content.update(jpeg)
            total += len(jpeg)
        return VideoFacts(frames, total, content.hexdigest()[:16])


class FrameIndex(NamedTuple):
    """The frames of one video in a pack, in their order.

    starts: where the bytes of each begin in the pack. lengths: how many they are. crcs: their CRC-32. checked: whether
    they have been compared with that.
    """

    starts: array
    lengths: array
    crcs: array
    checked: bytearray

    @classmethod
    def empty(cls) -> "FrameIndex":
        """Return an empty index."""
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
        self.videos = {video: len(frames.starts) for video, frames in self._index.items()}

    def jpegs(self, video: str, indices: Iterable[int]) -> list[memoryview]:
        """Return these frames (0-based) of `video`, without copying them.

        Raises UserError that names class, video and frame if there is none or if its bytes are not those written. That
        is checked the first time, as a check gives up the interpreter's lock: in every epoch it would cost 6 %.
        """
        starts, lengths, crcs, checked = self._index.get(video) or FrameIndex.empty()
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

    def _read_index(self) -> dict[str, FrameIndex]:
        index: dict[str, FrameIndex] = {}
        for name, start, length, crc in self._read_directory():
            video, _, frame = name.rpartition("/")
            if video not in index:
                index[video] = FrameIndex.empty()
            starts, lengths, crcs, checked = index[video]
            if frame != f"img_{len(starts) + 1:05d}.jpg":
                raise ValueError(f"expected {video}/img_{len(starts) + 1:05d}.jpg, found {name}")
            starts.append(start)
            lengths.append(length)
            crcs.append(crc)
            checked.append(False)
        return index

    def _read_directory(self) -> Iterator[tuple[str, int, int, int]]:
        """Yield name, start, length and CRC of every member's content, in the order of the central directory."""
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
            yield name, offset + LOCAL_HEADER_BYTES + name_size, length, crc  # a member's header has no extra field

    def _find_directory(self) -> tuple[int, int]:
        """Return the number of members and the position of the central directory."""
        end = len(self._bytes) - END.size
        signature, _, _, _, members, _, start, _ = END.unpack_from(self._bytes, max(end, 0))
        if signature != END_SIGNATURE:
            raise ValueError("its end is missing")
        signature, _, zip64_end, _ = ZIP64_LOCATOR.unpack_from(self._bytes, max(end - ZIP64_LOCATOR.size, 0))
        if signature == ZIP64_LOCATOR_SIGNATURE:
            *_, members, _, start = ZIP64_END.unpack_from(self._bytes, zip64_end)
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
