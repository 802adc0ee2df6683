"""ZIP archives of files that hardly compress: stored as they are, the same bytes for the same files."""

import zipfile
from contextlib import AbstractContextManager, ExitStack
from os import PathLike

from video3d.common.files import atomic_path

FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can hold; bytes do not depend on the clock
UNIX, READABLE_FILE = 3, 0o100644 << 16


class StoredZip(AbstractContextManager):
    """An archive being written; it takes its name only when it is whole, and an error leaves nothing.

    Members carry no dates and nothing of the file system, so the bytes depend on their names, order and content alone.
    """

    def __init__(self, path: str | PathLike):
        self.path = path

    def __enter__(self) -> "StoredZip":
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            self._archive = stack.enter_context(zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED))
            self._opened = stack.pop_all()
        return self

    def __exit__(self, *raised) -> bool | None:
        return self._opened.__exit__(*raised)

    def add(self, name: str, content: bytes) -> None:
        """Append a file; its name in the archive has `/` between folders."""
        member = zipfile.ZipInfo(name, FIRST_DATE)
        member.create_system, member.external_attr = UNIX, READABLE_FILE
        self._archive.writestr(member, content)
