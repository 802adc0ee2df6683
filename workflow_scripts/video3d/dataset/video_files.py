"""Which files are videos, by their names."""

from pathlib import PurePosixPath

# Of the containers that ffmpeg is allowed to read (frames/ffmpeg.py).
ENDINGS = frozenset(
    """
    .3g2 .3gp .asf .avi .divx .f4v .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogg .ogv .ts .vob .webm .wmv
    """.split()  # noqa: SIM905
)


def is_video_file(name: str) -> bool:
    """Return whether the last part of a path ends as a video does, and is not hidden."""
    last = name.rpartition("/")[2]
    return not last.startswith(".") and PurePosixPath(last).suffix.lower() in ENDINGS
