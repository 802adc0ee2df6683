"""Whether a video can be decoded, and was decoded whole: by what ffmpeg said and what the video's header announces."""

import stat
import struct
from pathlib import Path

from video3d.common.printable import printable
from video3d.frames.ffmpeg import Messages

NO_FILES = {
    stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def file_problem(video: Path) -> tuple[str, str] | None:
    """Return the status (missing or unreadable) and a message if there is nothing to decode; None if there may be.

    Whoever opens a named pipe waits, so what is no file is not opened.
    """
    try:
        mode = video.stat().st_mode
        if stat.S_ISDIR(mode):
            next(video.iterdir(), None)  # raises what keeps us out of a folder
            return "unreadable", "it is a link to a folder: give that folder itself"
        if not stat.S_ISREG(mode):
            return "unreadable", f"it is {NO_FILES[stat.S_IFMT(mode)]}, no file"
        with video.open("rb") as file:
            return None if file.read(1) else ("unreadable", "the file is empty")
    except FileNotFoundError:
        return "missing", "it is a link to nowhere" if video.is_symlink() else "there is no such file"
    except OSError as error:
        return "unreadable", f"it cannot be read: {error.strerror}"


def video_status(said: Messages, frames: int, exit_code: int, announced: tuple[float, float] | None) -> tuple[str, str]:
    """Return the status of a decoded video (ok, damaged or unreadable) and a message that says why it is not ok.

    The length that the container announces is compared with the end of the last frame, not with the number of frames:
    where the frame rate varies or B-frames are packed, the container counts frames that hold no picture. One frame less
    than announced is common in whole files.

    Args:
        said: what ffmpeg wrote while it decoded the video.
        frames: how many frames came.
        exit_code: of ffmpeg.
        announced: what `announced_length` returns for the video.
    """
    first_and_last = printable("; ".join(dict.fromkeys(said.errors[:1] + said.errors[-1:])))
    if frames == 0 and said.sound_alone:
        return "unreadable", "it holds sound and no video"
    if frames == 0:
        return "unreadable", first_and_last or "no frame decodes"
    if exit_code != 0 or said.errors:
        return "damaged", first_and_last or f"ffmpeg ended with exit code {exit_code}"
    if announced:
        seconds, per_frame = announced
        end = frames * per_frame if said.end is None else said.end
        if end < seconds - 1.5 * per_frame:
            return "damaged", f"ends after {end:.2f} s of the {seconds:.2f} s that its header announces"
    return "ok", ""


def announced_length(video: Path) -> tuple[float, float] | None:
    """Return seconds of video and seconds per frame, as the header of an AVI has them; None for other containers.

    A cut AVI can decode without an error, other containers cannot. Source: Microsoft, "AVI RIFF File Reference",
    structure AVISTREAMHEADER.
    """
    with video.open("rb") as file:
        header = file.read(1 << 16)
    position = header.find(b"strh", 12)
    while header.startswith(b"RIFF") and 0 <= position <= len(header) - 44:
        kind, scale, rate, _, length = struct.unpack_from("<4s16x4L", header, position + 8)
        if kind == b"vids":
            return (length * scale / rate, scale / rate) if rate and length else None
        position = header.find(b"strh", position + 4)
    return None
