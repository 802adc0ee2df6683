"""No dry run, `--unlock` or second run disturbs a living one; killed ones leave nothing to unlock."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

TARGET = "resources/tiny/ucfTrainTestlist"  # which takes a second to make
OTHER_PROCESSES = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
# The machine says that it was started a second later, as after a step of its clock.
OTHER_CLOCK = """
stat=$(mktemp)
awk '/^btime/ {$2 += 1} {print}' /proc/stat > "$stat" && mount --bind "$stat" /proc/stat && rm "$stat" && exec "$@"
"""


def needs(*command):
    """Skip the test if this machine does not allow the command."""
    found = shutil.which(command[0]) and subprocess.run(command, capture_output=True, text=True)
    if not found or found.returncode:
        pytest.skip(f"not allowed here: {' '.join(command)}: {found.stderr.strip() if found else 'not installed'}")


def run(workflow, *arguments, within=()):
    """Run Snakemake in a process of its own; return its exit code and what it printed."""
    result = subprocess.run(
        [*within, *workflow.command(*arguments)], cwd=workflow.folder, capture_output=True, text=True, timeout=300
    )
    return result.returncode, result.stdout + result.stderr


def listing(folder):
    """Every file below a folder with its time and size."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")
    }


@pytest.fixture
def living(fresh):
    """A run that makes the lists until the test ends: its job waits for a file."""
    script = fresh.folder / "workflow_scripts/download_splits.py"
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.1)\n"
    script.write_text(wait + script.read_text().replace('"""', "'''", 2))
    process = subprocess.Popen(
        fresh.command("--", TARGET),
        cwd=fresh.folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (fresh.folder / ".snakemake/jobs").exists() and not list(
        (fresh.folder / ".snakemake").glob("incomplete/*")
    ):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    yield fresh, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def locks(workflow):
    return sorted(path.name for path in (workflow.folder / ".snakemake/locks").glob("*.lock"))


def end_well(workflow, process):
    """Let the living run finish, which removes its locks."""
    (workflow.folder / "go").touch()
    assert process.wait(timeout=120) == 0
    assert (workflow.folder / TARGET / "classInd.txt").exists() and not locks(workflow)


def test_unlock_is_refused_while_a_run_lives(living):
    workflow, process = living
    held = locks(workflow)
    code, text = run(workflow, "--unlock")
    assert code and text.splitlines()[-1].startswith("error: another call of Snakemake works in")
    assert locks(workflow) == held and held
    end_well(workflow, process)


@pytest.mark.faults
@pytest.mark.parametrize(
    "within",
    [OTHER_PROCESSES, ("unshare", "--mount", "bash", "-c", OTHER_CLOCK, "bash")],
    ids=["other processes", "other clock"],
)
def test_in_another_namespace_nothing_disturbs_a_living_run(living, within):
    needs(*within, "true")
    workflow, process = living
    held = locks(workflow)
    assert run(workflow, "--dry-run", within=within)[0] == 0
    assert run(workflow, "--unlock", within=within)[0] != 0
    code, text = run(workflow, "--", TARGET, within=within)
    assert code and "locked" in text
    assert locks(workflow) == held and held
    end_well(workflow, process)


@pytest.mark.faults
def test_a_run_that_ends_leaves_the_locks_of_a_living_one(living):
    workflow, process = living
    held = locks(workflow)
    assert run(workflow, "--", "resources/tiny/videos.zip")[0] == 0
    assert locks(workflow) == held and held
    assert "locked" in run(workflow, "--", TARGET)[1]
    end_well(workflow, process)


@pytest.mark.faults
@pytest.mark.parametrize("call", [("--dry-run",), ("--unlock",), ()])
def test_owner_files_of_older_versions_stop_nobody(fresh, call):
    owners = fresh.folder / ".snakemake/owners"
    owners.mkdir(parents=True)
    (owners / "1.json").touch()
    (owners / "2.json").write_text('{"host": "elsewhere", "pid": 1, "started": 0.5}')
    fresh.run(*call, "--", TARGET)


@pytest.mark.parametrize("state", ["fresh", "finished"])
def test_a_dry_run_writes_nothing(request, state):
    workflow = request.getfixturevalue(state)
    for cache in workflow.folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    before = listing(workflow.folder)
    workflow.run("--dry-run")
    assert listing(workflow.folder) == before


@pytest.mark.parametrize("option", ["--summary", "--print-compilation"])
def test_a_call_that_only_looks_takes_no_lock(fresh, option):
    fresh.run(option)
    assert not list(fresh.folder.glob(".snakemake/*.lock"))


def test_a_dry_run_works_in_a_folder_that_cannot_be_written(finished):
    within = ("unshare", "--mount", "bash", "-c", READ_ONLY, str(finished.folder))
    needs(*within, "true")
    assert run(finished, "--", "results/tiny/new", within=within)[0]
    code, text = run(finished, "--dry-run", within=within)
    assert code == 0, text
    assert "Nothing to be done" in text
    code, text = run(finished, "--dry-run", "--forcerun", "export", within=within)
    assert code == 0 and "rule export:" in text, text
    code, text = run(finished, "--forcerun", "accuracy", within=within)
    assert code and "Traceback" not in text
    assert text.splitlines()[-1].startswith("error: .snakemake/run.lock cannot be used: Read-only file system")


@pytest.mark.faults
def test_after_a_kill_between_the_locks_and_the_first_job_nobody_unlocks(fresh):
    """Snakemake is killed by itself as soon as it has written its locks."""
    code = (
        "import os, sys, snakemake.scheduling.job_scheduler as s\n"
        "s.JobScheduler.__init__ = lambda *a, **k: os.kill(os.getpid(), 9)\n"
        "from snakemake.cli import main\n"
        "main()"
    )
    options = fresh.command("--", TARGET)[3:]
    killed = subprocess.run([sys.executable, "-c", code, *options], cwd=fresh.folder, capture_output=True)
    assert killed.returncode == -signal.SIGKILL and locks(fresh)
    fresh.run("--", TARGET)
    assert not locks(fresh)
