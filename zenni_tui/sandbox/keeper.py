"""The keeper: a detached process, parent of one PostgreSQL server, which keeps it up while anybody holds it.

Run as `python -m zenni_tui.sandbox.keeper FOLDER`. It ends, and stops the server, when nobody has had a shared lock on
the folder's `holders` for a moment, on SIGTERM, or when told to; without `keep_data` it then removes everything.
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

import msgspec
import psutil

from zenni_tui.errors import ZenniError
from zenni_tui.files import write_private
from zenni_tui.model.record import from_json

from .detach import ProcessMark, fork_away
from .holds import open_file, try_lock, unlock
from .postmaster import Postmaster
from .registry import Order, OrderKind, ServerRecord, ServerState, read_record, remove_all, write_record

POLL_SECONDS = 0.1
GRACE_SECONDS = 1.0
RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0


class Keeper:
    """Looks after one server until nobody wants it any more."""

    def __init__(self, record: ServerRecord) -> None:
        self._record = record
        self._folder = Path(record.directory)
        self._postmaster = Postmaster(record)
        self._holders = open_file(self._folder / "holders", create=True)
        self._free_since: float | None = None
        self._wanted = True
        self._removing = False
        self._told_to_end = False
        self._deaths: list[float] = []

    def run(self) -> None:
        """Start the server, keep it up as long as it is wanted, then stop it and clear away."""
        signal.signal(signal.SIGTERM, self._on_term)
        self._note(keeper=ProcessMark.of(os.getpid()), state=ServerState.STARTING, problem="")
        self._start()
        while not self._told_to_end and not self._abandoned():
            self._obey()
            self._revive()
            time.sleep(POLL_SECONDS)
        self._end()

    def _on_term(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_end = True

    def _note(self, **changes: object) -> None:
        self._record = msgspec.structs.replace(self._record, **changes)
        if self._folder.is_dir():
            write_record(self._record)

    def _start(self) -> None:
        try:
            self._postmaster.start()
        except (ZenniError, OSError, psutil.Error) as error:
            self._wanted = False
            why = error.why if isinstance(error, ZenniError) else ""
            self._note(state=ServerState.FAILED, problem=f"{error}\n{why}".strip(), postmaster=None)
            return
        self._wanted = True
        mark = ProcessMark.of(self._postmaster.pid)
        self._note(state=ServerState.UP, port=self._postmaster.port, postmaster=mark, problem="")

    def _stop(self, *, immediate: bool = False) -> None:
        self._wanted = False
        self._postmaster.stop(immediate=immediate)
        self._note(state=ServerState.DOWN, postmaster=None)

    def _obey(self) -> None:
        try:
            order = from_json((self._folder / "order.json").read_bytes(), Order)
        except (OSError, msgspec.DecodeError):
            return
        if order.number <= self._record.order:
            return
        if order.kind is OrderKind.REMOVE:
            self._removing = self._told_to_end = True
            return
        self._stop(immediate=order.kind is OrderKind.KILL)
        if order.kind is OrderKind.RESTART:
            self._start()
        self._note(order=order.number)

    def _revive(self) -> None:
        """Start a server again that died unasked, but not one that dies again and again."""
        if not self._wanted or self._postmaster.alive:
            return
        now = time.monotonic()
        self._deaths = [t for t in self._deaths if now - t < RESTART_WINDOW_SECONDS] + [now]
        if len(self._deaths) > RESTARTS:
            self._wanted = False
            self._note(state=ServerState.FAILED, problem="PostgreSQL died again and again", postmaster=None)
            return
        self._note(state=ServerState.STARTING, postmaster=None)
        self._start()

    def _abandoned(self) -> bool:
        """Return whether nobody has held for a moment; the exclusive lock then stays ours to the end.

        So nobody can take hold of a server that is about to stop.
        """
        if self._holders is None or not os.fstat(self._holders).st_nlink:
            return True
        if not try_lock(self._holders, exclusive=True):
            self._free_since = None
            return False
        self._free_since = self._free_since or time.monotonic()
        if time.monotonic() - self._free_since >= GRACE_SECONDS:
            return True
        unlock(self._holders)
        return False

    def _end(self) -> None:
        self._note(state=ServerState.STOPPING)
        self._postmaster.stop()
        self._postmaster.remove_sockets()
        if self._record.keep_data and not self._removing and self._folder.is_dir():
            self._note(state=ServerState.STOPPED, keeper=None, postmaster=None)
        else:
            remove_all(self._record)


def main(arguments: list[str]) -> int:
    """Become the keeper of the server in a folder; return 1 when it has one or is no server."""
    folder = Path(arguments[0])
    lock = open_file(folder / "keeper.lock", create=True) if folder.is_dir() else None
    record = read_record(folder)
    if lock is None or record is None or not try_lock(lock, exclusive=True):
        sys.stderr.write(f"{folder} is no server's folder, or has a keeper already\n")
        return 1
    if fork_away() == 0:
        _run(record, folder)
    return 0


def _run(record: ServerRecord, folder: Path) -> None:
    """Run the keeper; a fault goes to its log, as there is nobody to tell."""
    try:
        Keeper(record).run()
    except Exception:
        write_private(folder / "keeper.log", traceback.format_exc().encode())
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
