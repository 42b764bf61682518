"""The control socket: one line in, one line out, whatever comes."""

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from zenni_tui.engine import control, folders
from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.request import Command, Reply


def answer(command: Command) -> Reply:
    """Answer like an engine whose journal's disk is full for one of its commands."""
    if command.name == "full":
        raise OSError(28, "No space left on device")
    return Reply(ok=command.name == "ping", message=f"{command.name} by {command.by}")


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[None]:
    """Serve a folder's socket for a while."""
    server = await control.serve(folder, answer)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def send(folder: Path, name: str) -> Reply:
    """Send a command from another thread, as another process would."""
    return await asyncio.to_thread(control.send, folder, Command(name, "ann"))


async def raw(folder: Path, data: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back."""
    os.chdir(folder)
    reader, writer = await asyncio.open_unix_connection(folders.CONTROL)
    writer.write(data)
    writer.write_eof()
    reply = await reader.read()
    writer.close()
    return reply


@pytest.fixture
def back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder, and the working directory to what it was when the test is over."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_a_command_is_answered(tmp_path: Path) -> None:
    """The reply is the engine's; the socket is the owner's alone; without an engine the reply says so."""
    before = os.umask(0o022)
    try:
        async with serving(tmp_path):
            assert await send(tmp_path, "ping") == Reply(ok=True, message="ping by ann")
            assert await send(tmp_path, "dance") == Reply(ok=False, message="dance by ann")
            assert stat.S_IMODE((tmp_path / folders.CONTROL).stat().st_mode) == 0o600
    finally:
        assert os.umask(before) == 0o022
    reply = await send(tmp_path, "ping")
    assert not reply.ok
    assert "does not answer" in reply.message


async def test_a_very_deep_directory_has_a_socket(tmp_path: Path) -> None:
    """A path longer than the 107 bytes of unix(7) is no hindrance on either side."""
    folder = tmp_path.joinpath(*("deep-directory-name" for _ in range(20)))
    folder.mkdir(parents=True)
    assert len(os.fsencode(folder / folders.CONTROL)) > 300
    async with serving(folder):
        assert (await send(folder, "ping")).ok


RUBBISH = {
    "nothing": b"",
    "an empty line": b"\n",
    "no JSON": b"hello\n",
    "no command": b"[1, 2]\n",
    "another type": b'{"name": 5}\n',
    "no UTF-8": b'{"name": "\xff\xfe"}\n',
    "no end of line": b'{"name": "ping"',
    "a line too long": b"x" * 300_000 + b"\n",
    "zeros": bytes(1000) + b"\n",
}


@pytest.mark.parametrize("kind", RUBBISH)
async def test_rubbish_gets_a_reply_and_hurts_nobody(back: Path, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """Whatever is sent: a reply that refuses it, no error in the log, and the next command is heard."""
    async with serving(back):
        reply = from_json((await raw(back, RUBBISH[kind])).strip(), Reply)
        assert not reply.ok
        assert reply.message.startswith("not a command")
        assert (await send(back, "ping")).ok
    assert caplog.records == []


async def test_a_caller_that_goes_away_hurts_nobody(back: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Connections that are dropped before or after their line, and ones that say nothing, leave the engine hearing."""
    async with serving(back):
        silent = []
        for line in (b"", to_json(Command("ping")) + b"\n", b"half"):
            link = socket.socket(socket.AF_UNIX)
            link.connect(folders.CONTROL)
            link.sendall(line)
            link.close()
            silent.append(socket.socket(socket.AF_UNIX))
            silent[-1].connect(folders.CONTROL)
        assert (await send(back, "ping")).ok
        for link in silent:
            link.close()
    assert caplog.records == []


async def test_a_journal_that_is_full_is_a_reply(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A command that could not be noted is refused in words, not by a broken line."""
    async with serving(tmp_path):
        reply = await send(tmp_path, "full")
    assert not reply.ok
    assert "No space left" in reply.message
    assert caplog.records == []


async def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    """After a kill -9 the old socket's file is there still; the next engine listens all the same."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / folders.CONTROL))
    assert not (await send(tmp_path, "ping")).ok
    async with serving(tmp_path):
        assert (await send(tmp_path, "ping")).ok
