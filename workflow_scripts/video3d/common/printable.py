"""Text from outside, such as names of files, as people may see it: on a terminal, in a log, in a spreadsheet."""

from collections.abc import Sequence

LONGEST = 200  # characters of a text from outside that a message quotes
LONGEST_NAME = 80
NAMES_SHOWN = 8
FORMULA = tuple("=+-@＝＋－＠")  # what a spreadsheet takes for the beginning of a formula, in full width too


def printable(text: str) -> str:
    r"""Return `text` with every character that cannot be seen as its escape: `\n`, `\x1b`, `\u202e`.

    Such are control characters, which change what a terminal shows, and bytes of names that are not UTF-8, which Python
    has as lone surrogates.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def printable_lines(text: str) -> str:
    """Return `text`, which may have several lines, with each of them `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return `text`, of which no more than `longest` characters are shown."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def few(names: Sequence[str]) -> str:
    """Return the first of some names, each shortened, and how many more there are."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(shortened(name, LONGEST_NAME) for name in names[:NAMES_SHOWN]) + more


def safe_cell(text: str) -> str:
    """Return `text` as the cell of a CSV file that people open: printable, and no formula.

    What would begin one gets an apostrophe in front, by which spreadsheets know text. Source: OWASP, "CSV Injection".
    """
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
