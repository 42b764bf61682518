"""PostgreSQL's programs: run as nobody for root, as oneself for everybody else, copied where nobody can read them."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import zenni_tui
from zenni_tui.errors import NotReady
from zenni_tui.sandbox import binaries
from zenni_tui.sandbox.registry import temporary

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")

ORDINARY = """
import os, psycopg
from psycopg.conninfo import make_conninfo
from zenni_tui.sandbox import server
with server.start("ordinary") as running:
    with psycopg.connect(make_conninfo(**running.conninfo())) as session:
        print(os.geteuid(), *session.execute("SELECT 6 * 7").fetchone(), running.record.data)
server.remove("ordinary")
print(os.listdir(running.directory.parent))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder in the temporary one that everybody can enter."""
    folder = temporary(binaries.server_account()) / f"zenni-test-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def nobody() -> binaries.Account:
    """Return the account that root uses."""
    account = binaries.server_account()
    assert account is not None
    return account


@needs_root
def test_copy_is_made_once_and_runs(open_folder: Path) -> None:
    """Several that need a copy at the same time get the same one, whole, without leftovers, and it runs as nobody."""
    place = open_folder / "cache"
    tree = binaries._wheel_tree()
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(binaries.copy_for(nobody(), tree, [place]))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert list(place.iterdir()) == [found[0]]
    program = found[0] / binaries.PACKAGE / "pginstall" / "bin" / "initdb"
    done = subprocess.run(
        [str(program), "--version"], check=True, capture_output=True, text=True, cwd="/", **binaries.run_as(nobody())
    )
    assert "PostgreSQL" in done.stdout


@needs_root
def test_copy_of_a_stranger_is_not_run(open_folder: Path) -> None:
    """A folder that others can write to is no place for programs, whatever stands in it."""
    place = open_folder / "cache"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(NotReady):
        binaries.copy_for(nobody(), binaries._wheel_tree(), [place])
    assert list(place.iterdir()) == []


@needs_root
def test_closed_folders_are_noticed(open_folder: Path) -> None:
    """A folder under one that nobody can enter counts as closed."""
    inner = open_folder / "closed" / "inner"
    inner.mkdir(parents=True)
    assert nobody().can_enter(inner)
    inner.parent.chmod(0o700)
    assert not nobody().can_enter(inner)


def interpreter(account: binaries.Account) -> str | None:
    """Return a Python of our version that the account can run with our packages, if there is one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path=os.defpath)):
        command = [candidate or "", "-c", "import psycopg, psutil, msgspec, zenni_tui.sandbox.server"]
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, cwd="/", env=environment(), **binaries.run_as(account)
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which another account's Python finds our packages."""
    paths = (Path(module.__file__ or "").parent.parent for module in (zenni_tui, psycopg))
    return {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1", **more}


@needs_root
def test_ordinary_users_run_it_themselves(open_folder: Path) -> None:
    """An ordinary user's server runs as that user, with its data in the user's own folder, and leaves nothing."""
    account = nobody()
    python = interpreter(account)
    if python is None:
        pytest.skip("no Python here that an ordinary user can run")
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, account.uid, account.gid)
    done = subprocess.run(
        [python, "-c", ORDINARY],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        timeout=60,
        env=environment(XDG_STATE_HOME=str(home), HOME=str(home)),
        **binaries.run_as(account),
    )
    assert done.returncode == 0, done.stderr
    data = home / "zenni-tui" / "servers" / "ordinary" / "data"
    assert done.stdout.splitlines() == [f"{account.uid} 42 {data}", "['.lock']"]
