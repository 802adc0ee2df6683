"""Names of classes and videos as names of files: what people call them may hold anything, a name on disk may not."""

import hashlib
import re
import unicodedata
from functools import cache

PLAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?", re.ASCII)
# Names that some systems keep for devices, whatever follows the first point.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
DIGITS = 12  # of a SHA-256 in hexadecimal: a million names share none by chance (1 in 500)
MARKED = re.compile(rf".*-[0-9a-f]{{{DIGITS}}}")
LONGEST = 40  # characters that are kept of a name that is changed: at most 160 of the 255 bytes of a file name


@cache
def safe_name(name: str) -> str:
    """Return the name on disk of the class or the video that people call `name`.

    A plain name (up to 100 letters and digits of ASCII, `_`, `-` and `.`) stays as it is. Of any other, what is
    readable of its last part is followed by the beginning of its SHA-256. No two names share one, nor does one lead out
    of its folder. Plain names that differ in upper and lower case alone go on doing so.
    """
    if PLAIN.fullmatch(name) and not _is_reserved(name) and not MARKED.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:DIGITS]
    last = unicodedata.normalize("NFC", name).rstrip("/").rpartition("/")[2]
    readable = re.sub(r"[^\w.-]+", "_", last)[:LONGEST].strip("._-") or "name"
    return f"{'_' * _is_reserved(readable)}{readable}-{digest}"


def _is_reserved(name: str) -> bool:
    return name.partition(".")[0].lower() in RESERVED


def same_to_people(name: str) -> str:
    """Return what is equal for names that differ in upper and lower case or in the form of Unicode alone."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def natural_key(text: str) -> tuple:
    """Return what sorts texts as people do: numbers in them by their value, so `take 9` comes before `take 10`."""
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], text
