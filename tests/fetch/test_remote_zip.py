import hashlib
import random
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from helpers.paths import PROJECT
from helpers.unreliable_server import Fault
from helpers.zip_files import make_zip
from video3d.common.errors import UserError
from video3d.fetch import http_session, remote_zip
from video3d.fetch.remote_zip import fetch_subset
from video3d.fetch.sources import choose_source

CLASSES = ("Archery", "HandstandPushups", "Punch", "YoYo")
NAMES = [f"UCF101/v_{name}_g{group:02}_c01.avi" for name in CLASSES for group in range(1, 9)]
NAMES[8] = NAMES[8].replace("Handstand", "HandStand")
VIDEOS = {name: random.Random(name).randbytes(50_000) for name in NAMES}


CONTENT = make_zip(VIDEOS)
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def small_and_quick(monkeypatch, short_pauses):
    monkeypatch.setattr(http_session, "TIMEOUT", 0.5)
    monkeypatch.setattr(remote_zip, "DIRECTORY_SIZE", 4096)


def fetch(folder, urls, classes=("Punch",), checksum=CHECKSUM):
    source = choose_source(urls, classes)
    fetch_subset(source, checksum, folder / source.name)
    return folder / source.name


def contents(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def videos_of(*classes):
    return {name: content for name, content in VIDEOS.items() if any(c.lower() in name.lower() for c in classes)}


def test_only_the_videos_of_the_classes_are_fetched(server, tmp_path, caplog):
    caplog.set_level("INFO")
    url, served = server.serve("videos.zip", CONTENT)
    output = fetch(tmp_path, [url], ["YoYo", "Punch"])
    assert contents(output) == videos_of("Punch", "YoYo")
    assert served.sent < len(CONTENT) * 0.6
    assert list(tmp_path.iterdir()) == [output]
    assert "SHA-256 of the whole archive cannot be checked" in caplog.text and "without TLS" in caplog.text


def test_both_spellings_of_handstand_pushups(server, tmp_path):
    url, _ = server.serve("videos.zip", CONTENT)
    assert contents(fetch(tmp_path, [url], ["HandstandPushups"])) == videos_of("HandstandPushups")


def test_cuts_damage_and_errors_are_mended(server, tmp_path):
    faults = [Fault(status=503), Fault(cut=100), *[Fault()] * 4, Fault(cut=20_000), Fault(damage=True)]
    faults += [Fault(stall=1, cut=5), Fault(status=500), Fault(cut=0)]
    url, served = server.serve("videos.zip", CONTENT, faults=faults)
    assert contents(fetch(tmp_path, [url])) == videos_of("Punch")
    assert not served.faults


def test_lasting_damage_is_named(server, tmp_path):
    content = bytearray(CONTENT)
    content[content.index(b"v_Punch_g03_c01.avi") + 1000] ^= 1
    url, _ = server.serve("videos.zip", bytes(content))
    with pytest.raises(UserError, match=r"gave up after 4 attempts: UCF101/v_Punch_g03_c01\.avi arrived damaged"):
        fetch(tmp_path, [url])
    assert not list(tmp_path.glob("*.zip"))
    good, _ = server.serve("good.zip", CONTENT)
    assert contents(fetch(tmp_path, [url.replace("videos", "absent"), good])) == videos_of("Punch")


def test_without_ranges_the_whole_is_fetched_and_checked(server, tmp_path, caplog):
    url, _ = server.serve("videos.zip", CONTENT, ranges=False)
    output = fetch(tmp_path, [url])
    assert "serves no byte ranges" in caplog.text and "whole archive instead" in caplog.text
    assert output.resolve() == tmp_path / "videos.zip"
    assert contents(output) == VIDEOS
    with pytest.raises(UserError, match="SHA-256"):
        fetch(tmp_path / "other", [url], checksum="0" * 64)
    assert not any((tmp_path / "other").iterdir())


def test_a_whole_archive_that_is_there_is_used(server, tmp_path):
    url, served = server.serve("videos.zip", CONTENT)
    (tmp_path / "videos.zip").write_bytes(CONTENT)
    assert fetch(tmp_path, [url]).resolve() == tmp_path / "videos.zip"
    assert not served.requests


def test_a_killed_fetch_goes_on_where_it_was(server, tmp_path):
    videos = {name: content * 6 for name, content in VIDEOS.items()}
    url, served = server.serve("videos.zip", make_zip(videos), pace=0.02)
    output = tmp_path / choose_source([url], CLASSES[:3]).name
    script = PROJECT / "workflow_scripts" / "download_videos.py"
    command = [sys.executable, script, "--source", url, "--sha256", CHECKSUM, "--classes", *CLASSES[:3]]
    process = subprocess.Popen([*command, "--output", output], stderr=subprocess.DEVNULL)
    waiting = tmp_path / f"{output.name}.part"

    def arrived():
        return [path for path in waiting.glob("*") if not path.name.startswith(".")]

    deadline = time.monotonic() + 20
    while len(arrived()) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not output.exists()
    count = len(arrived())
    assert 3 <= count < 24
    served.pace = served.sent = 0
    assert contents(fetch(tmp_path, [url], CLASSES[:3])) == dict(list(videos.items())[:24])
    assert served.sent < (24 - count) * 301_000 + 300_000
    assert list(tmp_path.iterdir()) == [output]


def test_a_class_that_is_not_there_is_named(server, tmp_path):
    url, _ = server.serve("videos.zip", CONTENT)
    with pytest.raises(UserError, match="no class Punsh, did you mean Punch"):
        fetch(tmp_path, [url], ["Punsh"])
    assert not any(tmp_path.iterdir())


def test_what_is_no_zip_and_who_is_not_there(server, tmp_path):
    wrong, _ = server.serve("wrong.zip", b"<html>" * 2000)
    with pytest.raises(UserError) as error:
        fetch(tmp_path, [wrong, server.url("absent.zip")])
    assert "wrong.zip: is not a whole ZIP archive" in str(error.value)
    assert "absent.zip: HTTP 404" in str(error.value)
    assert not any(tmp_path.iterdir())


def test_an_archive_that_leads_out_of_its_folder_is_refused(server, tmp_path):
    url, _ = server.serve("videos.zip", make_zip(VIDEOS | {"../../v_Punch_g09_c01.avi": b"x"}))
    with pytest.raises(UserError, match="leads out of the folder"):
        fetch(tmp_path, [url])
    assert not any(tmp_path.iterdir())


def test_a_checksum_is_needed_for_the_case_that_the_whole_is_fetched(server, tmp_path):
    url, served = server.serve("videos.zip", CONTENT)
    with pytest.raises(UserError, match="videos_sha256"):
        fetch(tmp_path, [url], checksum="")
    assert not served.requests
