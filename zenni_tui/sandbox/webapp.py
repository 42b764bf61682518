"""A small booking application to migrate: `python -m zenni_tui.sandbox.webapp FOLDER --port 0`.

It reads DATABASE_URL from the folder's .env when it starts and on SIGHUP, as an application's restart would, and
serves `/`, `/bookings` and `/health` on 127.0.0.1. `--reload` has the running one read .env again.
"""

import argparse
import os
import re
import signal
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path

import msgspec

from zenni_tui.errors import StepFailed, UsageError, ZenniError
from zenni_tui.files import write_private
from zenni_tui.model.record import Record, from_json, to_json

from .bookings import Store, open_store
from .detach import ProcessMark, fork_away, living
from .handler import Handler
from .holds import is_locked

HOST = "127.0.0.1"
AILING = "ailing"
MODULE = "zenni_tui.sandbox.webapp"
WATCH_SECONDS = 0.5
RELOAD_SECONDS = 5.0
STOP_SECONDS = 5.0
SETTING = re.compile(
    r"""^\s*(?:export\s+)?DATABASE_URL\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s#]*))""",
    re.MULTILINE,
)


class AppRecord(Record, frozen=True):
    """What app.json says of the application; `loads` counts how often it has read .env, `problem` is the last one's."""

    pid: int
    port: int
    created: float
    database: str
    loads: int = 1
    problem: str = ""


class Application:
    """The application's state: its folder and the store that .env names."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = open_store(read_url(folder), folder)
        self._folder = folder
        self._loads = 1

    @property
    def ailing(self) -> bool:
        """Return whether its health is bad on the database in use: the folder's file `ailing`, for drills, says so."""
        try:
            return (self._folder / AILING).read_text().strip() == self.store.kind
        except FileNotFoundError:
            return False

    def reload(self, port: int) -> None:
        """Read .env and go on with the database it names; a broken one leaves things as they are."""
        problem = ""
        self._loads += 1
        try:
            self.store = open_store(read_url(self._folder), self._folder)
        except (ZenniError, OSError) as error:
            problem = str(error)
        self.note(os.getpid(), port, problem)

    def note(self, pid: int, port: int, problem: str = "") -> None:
        """Write app.json."""
        created = ProcessMark.of(pid).created
        record = AppRecord(pid, port, created, self.store.kind, self._loads, problem)
        write_private(self._folder / "app.json", to_json(record))


class BookingServer(ThreadingHTTPServer):
    """The HTTP server; its threads end with it."""

    daemon_threads = True

    def __init__(self, application: Application, port: int) -> None:
        self.application = application
        super().__init__((HOST, port), Handler)


def read_url(folder: Path) -> str:
    """Return DATABASE_URL from the folder's .env, the last one as dotenv does; raises UsageError."""
    try:
        found = list(SETTING.finditer((folder / ".env").read_text(encoding="utf-8")))
    except FileNotFoundError:
        found = []
    if not found:
        raise UsageError("There is no DATABASE_URL", where=str(folder / ".env"))
    return next((value for value in found[-1].groups() if value is not None), "")


def read_record(folder: Path) -> AppRecord | None:
    """Return what app.json says, whether or not the application still runs; None when it cannot be read."""
    try:
        return from_json((folder / "app.json").read_bytes(), AppRecord)
    except (OSError, msgspec.DecodeError):
        return None


def running(folder: Path) -> AppRecord | None:
    """Return the record of the application that runs on the folder, None when none does."""
    record = read_record(folder)
    return record if record and ProcessMark(record.pid, record.created).lives(MODULE) else None


def reload(folder: Path) -> AppRecord:
    """Have the running application read .env again and return its record; raises StepFailed."""
    before = running(folder)
    if before is None:
        raise StepFailed("The application does not run", where=str(folder))
    os.kill(before.pid, signal.SIGHUP)
    deadline = time.monotonic() + RELOAD_SECONDS
    while time.monotonic() < deadline:
        after = running(folder)
        if after is not None and after.loads > before.loads:
            return _without_problem(after, folder)
        time.sleep(0.02)
    raise StepFailed("The application did not read .env again", where=str(folder))


def _without_problem(record: AppRecord, folder: Path) -> AppRecord:
    if record.problem:
        raise StepFailed("The application stays on its database", where=str(folder / ".env"), why=record.problem)
    return record


def stop(folder: Path) -> None:
    """End the application that runs on the folder, if one does."""
    record = running(folder)
    process = living(record.pid, MODULE) if record else None
    if process is not None:
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while running(folder) and time.monotonic() < deadline:
            time.sleep(0.02)
    (folder / "app.json").unlink(missing_ok=True)


def serve(folder: Path, port: int, *, detach: bool, while_locked: Path | None) -> None:
    """Serve until SIGTERM, or until nobody has the lock any more; raises UsageError for a bad .env.

    With `detach` it returns, in the first process, when the second one serves.
    """
    application = Application(folder)
    server = BookingServer(application, port)
    own_port = server.server_port
    signal.signal(signal.SIGHUP, lambda *_: application.reload(own_port))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pid = fork_away() if detach else 0
    if pid or not detach:
        application.note(pid or os.getpid(), own_port)
    if pid:
        return
    if while_locked:
        threading.Thread(target=_end_unlocked, args=(while_locked,), daemon=True).start()
    with server:
        server.serve_forever()


def _end_unlocked(lock: Path) -> None:
    """End the process when nobody has the lock: not even for the moment in which a keeper takes over from another."""
    free = 0
    while free < 3:  # noqa: PLR2004 - three looks in a row
        time.sleep(WATCH_SECONDS)
        free = 0 if is_locked(lock) else free + 1
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: list[str] | None = None) -> int:
    """Run the application, or have the running one reload; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=(__doc__ or "").split(":", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--detach", action="store_true", help="serve without a terminal")
    parser.add_argument("--while-locked", type=Path, help="end when nobody has this file locked")
    parser.add_argument("--reload", action="store_true", help="have the running application read .env again")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    try:
        if options.reload:
            reload(folder)
        else:
            serve(folder, options.port, detach=options.detach, while_locked=options.while_locked)
    except (ZenniError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code) if isinstance(error, ZenniError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
