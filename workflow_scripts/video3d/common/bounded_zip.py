"""ZIP archives from elsewhere, of members that are stored as they are: none grows when it is read."""

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGEST_DIRECTORY = 2 << 20  # some 20,000 members


@contextmanager
def open_bounded_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive for reading.

    Raises ValueError or zipfile.BadZipFile if it is none, if a member is compressed, or if the members are larger than
    the file or far more than those of a network.
    """
    with _SmallReads(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members:
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(
                    f"{member.filename!r:.80} in it is compressed, where writers of weights store it as it is"
                )
        if sum(member.file_size for member in members) > path.stat().st_size:
            raise ValueError("its members are larger than itself")
        yield archive


class _SmallReads(io.FileIO):
    """A file of which nothing large is read at once: `zipfile` makes objects of a whole directory of members."""

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raises ValueError if they are many."""
        rest = os.fstat(self.fileno()).st_size - self.tell()
        wanted = rest if size < 0 else min(size, rest)
        if wanted > LARGEST_DIRECTORY:
            raise ValueError("it has far more members than a network has tensors")
        return super().read(wanted)
