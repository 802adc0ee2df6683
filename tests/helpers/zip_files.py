"""ZIP archives in memory."""

import io
import zipfile


def make_zip(files):
    """The bytes of a compressed ZIP with these members, name → bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
