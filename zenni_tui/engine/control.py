"""The control socket: one JSON line in, one JSON line out, mode 0600 in the run directory."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.request import Command, Reply

from .folders import CONTROL

_WAIT_SECONDS = 5.0


@contextlib.contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    # A socket's path holds 107 bytes (unix(7)); a run directory may be deeper, its descriptor's path never is.
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        base = f"/proc/self/fd/{fd}"
        yield f"{base}/{CONTROL}" if Path(base).exists() else str(folder / CONTROL)
    finally:
        os.close(fd)


async def serve(folder: Path, answer: Callable[[Command], Reply]) -> asyncio.AbstractServer:
    """Listen for commands until the returned server is closed."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            reply = _reply(answer, await asyncio.wait_for(_line(reader), _WAIT_SECONDS))
            writer.write(to_json(reply) + b"\n")
            await writer.drain()
        except (TimeoutError, ConnectionError):
            pass  # the caller went away; there is nobody to tell
        finally:
            writer.close()

    (folder / CONTROL).unlink(missing_ok=True)
    old = os.umask(0o177)
    try:
        with _short_path(folder) as path:
            return await asyncio.start_unix_server(hear, path)
    finally:
        os.umask(old)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:
        return b""  # longer than any command


def _reply(answer: Callable[[Command], Reply], line: bytes) -> Reply:
    try:
        return answer(from_json(line, Command))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Reply(ok=False, message=f"not a command: {error}")
    except OSError as error:
        return Reply(ok=False, message=f"the command could not be noted in the journal: {error.strerror}")


def send(folder: Path, command: Command) -> Reply:
    """Send one command to a run's engine; an unreachable engine is a reply that says so."""
    try:
        with _short_path(folder) as path, socket.socket(socket.AF_UNIX) as link:
            link.settimeout(_WAIT_SECONDS)
            link.connect(path)
            link.sendall(to_json(command) + b"\n")
            with link.makefile("rb") as stream:
                return from_json(stream.readline(), Reply)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Reply(ok=False, message=f"the engine does not answer ({error})", heard=False)
