"""Which code and which software made a result."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What a package is called where it is installed, if that is not the name it is imported by.
DISTRIBUTIONS = {"paddle": ("paddlepaddle", "paddlepaddle-gpu")}


def git_commit() -> str | None:
    """Return the commit of this checkout in full, with `-dirty` behind it if a file differs from the commit.

    None where there is no git or no checkout.
    """
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--exclude=*", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def package_versions(*packages: str) -> dict[str, str]:
    """Return the version of Python and of each of `packages` that is installed, by name.

    `paddle` is whichever build of PaddlePaddle there is; a build alone is asked for by its own name.
    """
    versions = {"python": platform.python_version()}
    for package in packages:
        for distribution in DISTRIBUTIONS.get(package, (package,)):
            try:
                versions[package] = version(distribution)
            except PackageNotFoundError:
                continue
    return versions
