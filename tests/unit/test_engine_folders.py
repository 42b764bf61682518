"""Run directories, and locks that the kernel keeps."""

import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zenni_tui.engine import client, folders
from zenni_tui.errors import UsageError
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import RunKind

_HOLD = """
import sys, time
from pathlib import Path
from zenni_tui.engine import folders
lock = folders.Lock(Path(sys.argv[1]))
print(lock.acquire("process " + sys.argv[2]), flush=True)
time.sleep(60)
"""


def hold(path: Path, name: str) -> tuple[subprocess.Popen[str], bool]:
    """Start a process that tries to take a lock and stays; return it and whether it got the lock."""
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(path), name], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip() == "True"


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process as the kernel does when memory runs out."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_lock_vanishes_with_its_process(tmp_path: Path) -> None:
    """While a process holds it others learn by whom and don't get it; kill -9 frees it at once."""
    path = tmp_path / "engine.lock"
    assert folders.holder(path) is None
    first, got = hold(path, "one")
    try:
        assert got
        assert folders.holder(path) == "process one"
        second, got = hold(path, "two")
        end(second)
        assert not got
        assert folders.holder(path) == "process one"
        assert folders.is_alive(tmp_path)
    finally:
        end(first)
    assert folders.holder(path) is None
    mine = folders.Lock(path)
    assert mine.acquire("me")
    assert folders.holder(path) == "me"
    mine.release()
    mine.release()
    assert folders.holder(path) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_asking_who_holds_a_lock_keeps_nobody_from_taking_it(tmp_path: Path) -> None:
    """Screens ask all the time; an engine that starts at such a moment must not take them for another engine."""
    path = tmp_path / "engine.lock"
    path.touch()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            folders.holder(path)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        for _ in range(100):
            lock = folders.Lock(path)
            assert lock.acquire("engine")
            lock.release()
    finally:
        done.set()
        for asker in askers:
            asker.join()


def test_a_longer_owner_before_leaves_nothing_behind(tmp_path: Path) -> None:
    """The name of the last owner replaces the one before wholly."""
    path = tmp_path / "lock"
    for name in ("a very long name of an owner", "short"):
        lock = folders.Lock(path)
        assert lock.acquire(name)
        assert folders.holder(path) == name
        lock.release()


def test_run_ids_sort_by_time_and_name_their_kind() -> None:
    """An id is a UTC time to the second, the kind of run, and four digits that tell runs of one second apart."""
    ids = [folders.new_run_id(RunKind.REHEARSE) for _ in range(20)]
    assert [i[:16] for i in ids] == sorted(i[:16] for i in ids)
    assert all(i[8] == "T" and i[15:26] == "Z-rehearse-" and len(i) == 30 for i in ids)
    assert len(set(ids)) > 15


def request(run_id: str) -> Request:
    """Return the smallest request."""
    return Request(run_id, RunKind.CHECK, "/tmp/none.db")  # noqa: S108 - never opened


def test_runs_are_found_newest_first_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs at the usual place and those made elsewhere are listed; folders are 0700, files 0600."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    old = client.create(request("20260101T000000Z-check-0001"))
    new = client.create(request("20260301T000000Z-check-0001"))
    away = client.create(request("20260201T000000Z-check-0001"), tmp_path / "elsewhere" / "run")
    assert list(folders.run_folders()) == [new, away, old]
    assert [stat.S_IMODE(f.stat().st_mode) for f in (old, new, away, folders.runs_home())] == [0o700] * 4
    files = [f for folder in (old, new, away) for f in folder.iterdir()]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert client.request_of(away) == request("20260201T000000Z-check-0001")
    assert client.last_run() == new
    assert client.live_run() is None


def test_a_run_directory_that_is_gone_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link to a run directory that was removed, or a stray file, breaks no list."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    away = client.create(request("20260201T000000Z-check-0001"), tmp_path / "run")
    for file in away.iterdir():
        file.unlink()
    away.rmdir()
    (folders.runs_home() / "stray").write_text("x")
    kept = client.create(request("20260101T000000Z-check-0001"))
    assert list(folders.run_folders()) == [kept]


def test_a_run_directory_is_never_used_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run in the same directory would find the first one's steps done, and pass without doing anything."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    client.create(request("20260101T000000Z-check-0001"), tmp_path / "run")
    with pytest.raises(UsageError, match="holds a run already"):
        client.create(request("20260101T000000Z-check-0002"), tmp_path / "run")
    assert client.request_of(tmp_path / "run").run_id == "20260101T000000Z-check-0001"
    assert len(list(folders.run_folders())) == 1


def test_only_a_new_or_empty_folder_becomes_a_run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of somebody's files is not closed to its readers; an empty one is, whatever mode it had."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    full, empty = tmp_path / "full", tmp_path / "empty"
    for folder in (full, empty):
        folder.mkdir()
        folder.chmod(0o755)
    (full / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="no empty folder"):
        client.create(request("20260101T000000Z-check-0001"), full)
    assert stat.S_IMODE(full.stat().st_mode) == 0o755
    client.create(request("20260101T000000Z-check-0002"), empty)
    assert stat.S_IMODE(empty.stat().st_mode) == 0o700
