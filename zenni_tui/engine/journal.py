"""The journal: `events.jsonl`, append-only, numbered, on disk before anything relies on it."""

import contextlib
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.record import to_json
from zenni_tui.model.state import RunState, reduce

_ENTRY = msgspec.json.Decoder(e.Entry)
_PASSING = (e.Progress, e.TableProgress, e.Said, e.CheckMade)
"""Entries that may be lost in a power cut: they tell of work that a checkpoint or a later entry tells too."""


_LAST_WORDS = (e.StepFailed, e.StepStopped, e.UndoFailed, e.RunEnded)
RESERVE_BYTES = 1024 * 1024
"""Kept free beside the journal, so that a full disk does not keep the engine from saying that it is full."""


class JournalReader:
    """Follows a journal that may still grow; `state` is what its entries add up to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = RunState()
        self._offset = 0

    def read(self) -> list[e.Entry]:
        """Return the entries that are new since the last call; a half-written last line is left for later."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        entries = [_ENTRY.decode(line) for line in whole.splitlines()]
        self._take(entries)
        return entries

    def _take(self, entries: Iterable[e.Entry]) -> None:
        for entry in entries:
            self.state = reduce(self.state, entry)


class Journal:
    """Appends events; opening an existing journal goes on where it ends, cutting off a half-written line."""

    def __init__(self, path: Path) -> None:
        reader = JournalReader(path)
        reader.read()
        self.state = reader.state
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._fd, reader._offset)  # noqa: SLF001 - reader and writer of one format
        self._lock = threading.Lock()
        self._reserve = path.with_name("reserve")
        with contextlib.suppress(OSError):
            # Random bytes: a disk that compresses would keep no room for zeros.
            write_private(self._reserve, os.urandom(RESERVE_BYTES))

    def append(self, what: e.AnyEvent) -> e.Entry:
        """Write one event, from any thread, and return it numbered and dated; raises OSError when the disk is full.

        The reserve is then given up for the words with which steps and runs end, and for the evidence.
        """
        with self._lock:
            entry = e.Entry(self.state.entries + 1, time.time(), what)
            line, lasting = to_json(entry) + b"\n", not isinstance(what, _PASSING)
            try:
                self._write(line, lasting=lasting)
            except OSError:
                self._reserve.unlink(missing_ok=True)
                if not isinstance(what, _LAST_WORDS):
                    raise
                self._write(line, lasting=lasting)
            self.state = reduce(self.state, entry)
            return entry

    def _write(self, line: bytes, *, lasting: bool) -> None:
        start = os.fstat(self._fd).st_size
        try:
            while line:
                line = line[os.write(self._fd, line) :]
            if lasting:
                os.fsync(self._fd)
        except OSError:
            # A torn line would hide every later entry from readers, and one not on disk would lend its number twice.
            os.ftruncate(self._fd, start)
            raise

    def make_room(self) -> None:
        """Give the reserve up for what else must be written on a full disk."""
        self._reserve.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file and give the reserve up."""
        os.close(self._fd)
        self._reserve.unlink(missing_ok=True)
