import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from helpers.paths import PROJECT
from helpers.unreliable_server import Fault, make_certificate, running
from video3d.common.errors import UserError
from video3d.fetch import http_session
from video3d.fetch.download import download, fetch_archive
from video3d.fetch.sources import DataSource

CONTENT = random.Random(1).randbytes(1_000_000)
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
OTHER = random.Random(2).randbytes(1_000_000)


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch, short_pauses):
    monkeypatch.setattr(http_session, "TIMEOUT", 0.4)


@pytest.fixture
def output(tmp_path):
    return tmp_path / "resources" / "videos.zip"


def fetch(output, *urls, checksum=CHECKSUM):
    fetch_archive(DataSource("url", output.name, urls=urls), checksum, output)


def failure(output, *urls, checksum=CHECKSUM):
    with pytest.raises(UserError) as error:
        fetch(output, *urls, checksum=checksum)
    assert not output.exists()
    return str(error.value)


def assert_whole(output):
    assert output.read_bytes() == CONTENT
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_file_arrives_whole(server, output):
    url, served = server.serve("videos.zip", CONTENT)
    fetch(output, url)
    assert_whole(output)
    assert len(served.requests) == 1 and "Range" not in served.requests[0]


def test_without_an_announced_length(server, output):
    url, _ = server.serve("videos.zip", CONTENT, length=-1, faults=[Fault(cut=300_000)])
    fetch(output, url)
    assert_whole(output)


def test_cut_connections_are_resumed_where_they_stopped(server, output):
    faults = [Fault(cut=100_000), Fault(cut=1), Fault(cut=0), Fault(cut=500_000)]
    url, served = server.serve("videos.zip", CONTENT, faults=faults)
    fetch(output, url)
    assert_whole(output)
    starts = [request.get("Range") for request in served.requests]
    assert starts == [None, "bytes=100000-", "bytes=100001-", "bytes=100001-", "bytes=600001-"]
    assert served.sent == len(CONTENT)
    assert served.requests[-1]["If-Range"] == '"1"'


def test_more_cuts_than_attempts_do_no_harm_while_bytes_arrive(server, output):
    url, _ = server.serve("videos.zip", CONTENT, faults=[Fault(cut=50_000)] * 12)
    fetch(output, url)
    assert_whole(output)


def test_a_stalled_connection_is_resumed(server, output):
    url, served = server.serve("videos.zip", CONTENT, faults=[Fault(cut=200_000, stall=1)])
    fetch(output, url)
    assert_whole(output)
    assert served.requests[1]["Range"] == "bytes=200000-"


def test_a_server_that_ignores_ranges_starts_over(server, output, caplog):
    url, _ = server.serve("videos.zip", CONTENT, ranges=False, faults=[Fault(cut=700_000)])
    fetch(output, url)
    assert_whole(output)
    assert "does not resume" in caplog.text


def test_a_server_that_ignores_ranges_and_always_cuts_is_given_up(server, output):
    url, served = server.serve("videos.zip", CONTENT, ranges=False, faults=[Fault(cut=1000)] * 20)
    text = failure(output, url)
    assert "gave up after 4 attempts" in text and "999,000 bytes are missing" in text
    assert len(served.requests) == 1 + http_session.ATTEMPTS


def test_a_server_that_sends_less_than_asked_for(server, output):
    url, served = server.serve("videos.zip", CONTENT, largest_range=200_000, faults=[Fault(cut=10)])
    fetch(output, url)
    assert_whole(output)
    assert len(served.requests) == 6


def test_a_wrong_range_is_refused(server, output):
    wrong = Fault(headers={"Content-Range": "bytes 7-999999/1000000"})
    url, _ = server.serve("videos.zip", CONTENT, faults=[Fault(cut=1000), wrong])
    assert "another range" in failure(output, url)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_errors_are_waited_out(server, output, status):
    url, served = server.serve("videos.zip", CONTENT, faults=[Fault(status=status, headers={"Retry-After": "0"})] * 2)
    fetch(output, url)
    assert_whole(output)
    assert len(served.requests) == 3


def test_lasting_errors_are_told_for_each_mirror(server, output):
    busy, served = server.serve("busy.zip", CONTENT, faults=[Fault(status=503)] * 9)
    refused = "http://127.0.0.1:9/videos.zip"
    text = failure(output, server.url("absent.zip"), busy, refused)
    assert "absent.zip: HTTP 404 Not Found" in text
    assert "busy.zip: gave up after 4 attempts: HTTP 503" in text
    assert "127.0.0.1:9/videos.zip: gave up after 4 attempts: no connection" in text
    assert "dataset.videos" in text
    assert len(served.requests) == 4


def test_a_machine_without_network_is_told_so_after_fewer_attempts(output):
    text = failure(output, "http://server.invalid/videos.zip")
    assert "server.invalid/videos.zip: gave up after 3 attempts: no connection" in text
    assert "put its path there" in text


def test_a_network_that_was_there_is_waited_for(server, output):
    text = failure(output, server.url("absent.zip"), "http://server.invalid/videos.zip")
    assert "server.invalid/videos.zip: gave up after 4 attempts: no connection" in text


def test_mirrors_are_tried_in_order_and_continue_each_other(server, output):
    first, one = server.serve("first.zip", CONTENT, faults=[Fault(cut=400_000), *[Fault(status=500)] * 4])
    second, two = server.serve("second.zip", CONTENT)
    third, three = server.serve("third.zip", CONTENT)
    fetch(output, first, second, third)
    assert_whole(output)
    assert len(one.requests) == 5 and not three.requests
    assert [(request["Range"], "If-Range" in request) for request in two.requests] == [("bytes=400000-", False)]


def test_wrong_bytes_are_never_kept(server, output):
    wrong, _ = server.serve("wrong.zip", OTHER)
    text = failure(output, wrong)
    assert hashlib.sha256(OTHER).hexdigest() in text and CHECKSUM in text
    assert not any(output.parent.iterdir())
    right, _ = server.serve("right.zip", CONTENT)
    fetch(output, wrong, right)
    assert_whole(output)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_length_announced_too_long(server, output, ranges):
    url, _ = server.serve("videos.zip", CONTENT, length=1_500_000, ranges=ranges)
    if ranges:  # the server then admits that there is no more
        fetch(output, url)
        assert_whole(output)
    else:
        assert "500,000 bytes are missing" in failure(output, url)


def test_a_length_announced_too_short(server, output):
    url, _ = server.serve("videos.zip", CONTENT, length=999_999)
    assert "served 999,999 bytes" in failure(output, url)


def test_no_space_is_noticed_before_anything_is_written(server, output):
    url, served = server.serve("videos.zip", CONTENT, length=10**15)
    text = failure(output, url)
    assert "needs 1,000,000.00 GB" in text and "free" in text
    assert not any(output.parent.iterdir())
    assert len(served.requests) == 1


def test_a_file_that_changes_between_attempts_is_fetched_anew(server, output):
    url, served = server.serve("videos.zip", OTHER, faults=[Fault(cut=400_000, then=CONTENT)])
    fetch(output, url)
    assert_whole(output)
    assert len(served.requests) == 2, "If-Range tells that the file has changed"


def test_a_change_that_the_server_does_not_tell_is_found_by_the_checksum(server, output, caplog):
    url, _ = server.serve("videos.zip", OTHER, version="", faults=[Fault(cut=400_000, then=CONTENT)])
    fetch(output, url)
    assert_whole(output)
    assert "starting over" in caplog.text


@pytest.mark.parametrize("part", [OTHER[:300_000], OTHER, CONTENT + b"more"], ids=["prefix", "whole", "too long"])
def test_a_wrong_part_of_an_earlier_run_is_replaced(server, output, part):
    url, _ = server.serve("videos.zip", CONTENT)
    output.parent.mkdir()
    output.with_name("videos.zip.part").write_bytes(part)
    fetch(output, url)
    assert_whole(output)


def test_a_complete_part_is_not_fetched_again(server, output):
    url, served = server.serve("videos.zip", CONTENT)
    output.parent.mkdir()
    output.with_name("videos.zip.part").write_bytes(CONTENT)
    fetch(output, url)
    assert_whole(output)
    assert served.sent == 0


def test_a_killed_download_goes_on_where_it_was(server, output):
    url, served = server.serve("videos.zip", CONTENT, pace=0.05)
    script = PROJECT / "workflow_scripts" / "download_videos.py"
    command = [sys.executable, script, "--source", url, "--sha256", CHECKSUM, "--classes", "--output", output]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    part = output.with_name("videos.zip.part")
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 200_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not output.exists()
    arrived = part.stat().st_size
    assert 200_000 < arrived < len(CONTENT)
    served.pace = 0
    fetch(output, url)
    assert_whole(output)
    assert served.requests[-1]["Range"] == f"bytes={arrived}-"


@pytest.mark.parametrize("checksum", [None, "", "abc"])
def test_a_url_needs_a_checksum(server, output, checksum):
    url, served = server.serve("videos.zip", CONTENT)
    assert "dataset.videos_sha256" in failure(output, url, checksum=checksum)
    assert not served.requests


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    return make_certificate(tmp_path_factory.mktemp("tls") / "key.pem")


def test_an_unknown_certificate_is_refused_with_advice(certificate, output, server):
    with running(certificate) as secure:
        url, served = secure.serve("videos.zip", CONTENT)
        text = failure(output, url)
        assert f"{url}: the certificate of 127.0.0.1 could not be verified" in text
        assert "another mirror" in text and "give its path" in text
        assert not served.requests
        fetch(output, url, server.serve("videos.zip", CONTENT)[0])
        assert_whole(output)


def test_an_authority_of_ones_own(certificate, output, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with running(certificate) as secure:
        fetch(output, secure.serve("videos.zip", CONTENT)[0])
    assert_whole(output)


def test_a_redirection_does_not_leave_tls(certificate, output, server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    plain, served = server.serve("videos.zip", CONTENT)
    with running(certificate) as secure:
        url, _ = secure.serve("videos.zip", b"", faults=[Fault(status=302, headers={"Location": plain})])
        assert "without TLS" in failure(output, url)
    assert not served.requests


def test_a_redirection_is_followed(server, output):
    target, _ = server.serve("true.zip", CONTENT)
    url, _ = server.serve("videos.zip", b"", faults=[Fault(status=302, headers={"Location": target})])
    fetch(output, url)
    assert_whole(output)


def test_a_local_archive_is_checked_and_linked(tmp_path, output):
    archive = tmp_path / "mine.zip"
    archive.write_bytes(CONTENT)
    source = DataSource("archive", "mine.zip", path=str(archive))
    for checksum in (CHECKSUM, None):
        fetch_archive(source, checksum, output)
        assert output.resolve() == archive
    output.unlink()
    with pytest.raises(UserError, match="videos_sha256"):
        fetch_archive(source, "0" * 64, output)
    assert not output.is_symlink()


def test_an_archive_that_lies_where_it_is_wanted_stays(output):
    output.parent.mkdir()
    output.write_bytes(CONTENT)
    fetch_archive(DataSource("archive", output.name, path=str(output)), CHECKSUM, output)
    assert_whole(output)
    assert not output.is_symlink()


def test_a_local_archive_that_is_gone(tmp_path, output):
    with pytest.raises(UserError, match="does not exist"):
        fetch_archive(DataSource("archive", "mine.zip", path=str(tmp_path / "mine.zip")), None, output)


def test_a_bad_address_is_an_error_not_a_crash(output):
    assert "videos.zip" in failure(output, "http://[broken/videos.zip")


def test_the_setting_is_named(server, output):
    with pytest.raises(UserError, match=r"dataset\.lists"):
        download([server.url("absent.zip")], CHECKSUM, output, "dataset.lists")
