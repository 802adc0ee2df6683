import platform
import shutil
import subprocess
from importlib.metadata import version

from video3d.common import versions
from video3d.common.versions import git_commit, package_versions


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_is_that_of_the_checkout_and_says_whether_files_differ(tmp_path, monkeypatch):
    file = tmp_path / "library" / "versions.py"
    file.parent.mkdir()
    shutil.copy(versions.__file__, file)
    monkeypatch.setattr(versions, "__file__", str(file))
    assert git_commit() is None
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "First")
    git(tmp_path, "tag", "--annotate", "v1", "--message", "Release")
    assert git_commit() == git(tmp_path, "rev-parse", "HEAD")
    file.write_text("")
    assert git_commit() == git(tmp_path, "rev-parse", "HEAD") + "-dirty"


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None


def test_versions_are_those_of_the_installed_packages():
    found = package_versions("paddle", "numpy", "no-such-package")
    installed = {"numpy": version("numpy"), "paddle": found["paddle"]}
    assert found == {"python": platform.python_version()} | installed


def test_paddle_is_whichever_build_is_installed(monkeypatch):
    import paddle

    assert package_versions("paddle")["paddle"] == paddle.__version__
    monkeypatch.setattr(versions, "version", lambda name: {"paddlepaddle-gpu": "3.0"}[name])
    monkeypatch.setattr(versions, "PackageNotFoundError", KeyError)
    assert package_versions("paddle")["paddle"] == "3.0"
