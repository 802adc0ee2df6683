"""RAR archives of stored files, put together by hand from the published descriptions of the formats 4 and 5."""

import struct
import zlib

REGULAR, LINK = 0o100644, 0o120777


def rar4(files: dict[str, bytes], mode: int = REGULAR, checksum: int | None = None) -> bytes:
    """A RAR 4 archive; `checksum` replaces the true CRC-32 of every file."""

    def block(kind: int, flags: int, fields: bytes) -> bytes:
        header = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
        return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header

    archive = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for name, content in files.items():
        crc = zlib.crc32(content) if checksum is None else checksum
        encoded = name.encode("ascii")
        fields = struct.pack("<IIBIIBBHI", len(content), len(content), 3, crc, 0, 20, 0x30, len(encoded), mode)
        archive += block(0x74, 0x8000, fields + encoded) + content
    return archive + block(0x7B, 0x4000, b"")


def rar5(files: dict[str, bytes], link: str = "", checksum: int | None = None) -> bytes:
    """A RAR 5 archive; `link` makes every file a symbolic link to there, `checksum` replaces the true CRC-32."""

    def number(value: int) -> bytes:
        low = b""
        while value > 0x7F:
            low += bytes([value & 0x7F | 0x80])
            value >>= 7
        return low + bytes([value])

    def block(fields: bytes) -> bytes:
        header = number(len(fields)) + fields
        return struct.pack("<I", zlib.crc32(header)) + header

    archive = b"Rar!\x1a\x07\x01\x00" + block(number(1) + number(0) + number(0))
    for name, content in files.items():
        extra = b""
        if link:
            record = number(5) + number(1) + number(0) + number(len(link)) + link.encode()
            extra = number(len(record)) + record
        crc = zlib.crc32(content) if checksum is None else checksum
        sizes = (number(len(extra)) if extra else b"") + number(len(content))
        details = number(4) + number(len(content)) + number(LINK if link else REGULAR) + struct.pack("<I", crc)
        kind = number(0) + number(1) + number(len(name.encode())) + name.encode()
        archive += block(number(2) + number(3 if extra else 2) + sizes + details + kind + extra) + content
    return archive + block(number(5) + number(0) + number(0))
