"""Hooks run without a shell, within their time, and leave nothing behind."""

import asyncio
import stat
import sys
from pathlib import Path

import psutil
import pytest

from zenni_tui.application import hooks
from zenni_tui.application.hooks import Hook
from zenni_tui.errors import StepFailed


def python(code: str, **more: object) -> Hook:
    """Return a hook that runs a piece of Python."""
    return Hook("deploy", (sys.executable, "-c", code), **more)  # type: ignore[arg-type]


def read(ended: hooks.Ended) -> str:
    """Return what a hook said."""
    return Path(ended.said).read_text()


def mode(ended: hooks.Ended) -> int:
    """Return the mode of the file that holds what a hook said."""
    return stat.S_IMODE(Path(ended.said).stat().st_mode)


async def test_a_hook_says_and_ends(tmp_path: Path) -> None:
    """Both streams are kept in a private file, the exit code is told, and arguments are no shell's."""
    code = "import sys; print('built', sys.argv[1]); sys.stderr.write('warned'); sys.exit(3)"
    hook = Hook("build", (sys.executable, "-c", code, "$HOME; ls"), str(tmp_path))
    ended = await hooks.run(hook, tmp_path)
    assert (ended.ok, ended.code, ended.said) == (False, 3, str(tmp_path / "hook-build.log"))
    assert sorted(read(ended).replace("warned", "warned\n").split("\n")) == ["", "built $HOME; ls", "warned"]
    assert mode(ended) == 0o600


async def test_secrets_come_by_the_environment_and_are_not_kept(tmp_path: Path) -> None:
    """A hook gets its secret in the environment; what it says of it can't be read in the log."""
    hook = python("import os; print('url', os.environ['DATABASE_URL'])", environment={"DATABASE_URL": "s3cret!"})
    ended = await hooks.run(hook, tmp_path, ["s3cret!", ""])
    assert (ended.ok, read(ended)) == (True, "url *******\n")


def pid_in(ended: hooks.Ended) -> int:
    """Return the number that a hook told, whoever wrote first."""
    return next(int(word) for word in read(ended).split() if word.isdigit())


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, even where nobody takes notice of its end."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_hook_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time a hook and its children are gone, even those that don't heed a polite signal."""
    monkeypatch.setattr(hooks, "_GRACE_SECONDS", 2.0)
    child = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    code = (
        "import subprocess, sys, time;"
        f"p = subprocess.Popen([sys.executable, '-c', {child!r}]); print(p.pid, flush=True); time.sleep(600)"
    )
    # Long enough for two processes to start on a machine that has other work.
    ended = await hooks.run(python(code, timeout=8.0), tmp_path)
    assert (ended.code, ended.ok) == (None, False)
    assert "up" in read(ended).split()
    assert is_gone(pid_in(ended))


async def test_what_a_hook_leaves_running_goes_on(tmp_path: Path) -> None:
    """An application that a hook starts in the background doesn't keep us waiting, and lives and writes on."""
    child = "import time\nwhile True: print('serving', flush=True); time.sleep(0.05)"
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True)"
    ended = await asyncio.wait_for(hooks.run(python(code), tmp_path), 30)
    pid = pid_in(ended)
    try:
        before = len(read(ended))
        for _ in range(100):
            if len(read(ended)) > before:
                break
            await asyncio.sleep(0.1)
        assert len(read(ended)) > before
        assert psutil.pid_exists(pid)
    finally:
        psutil.Process(pid).kill()


async def test_a_hook_that_cannot_start_is_told(tmp_path: Path) -> None:
    """A program that isn't there is an error that names the key to mend."""
    with pytest.raises(StepFailed, match="deploy can't be started") as caught:
        await hooks.run(Hook("deploy", (str(tmp_path / "none"),)), tmp_path)
    assert "[application.hooks] deploy" in caught.value.next_step
