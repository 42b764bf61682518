"""What was done for a source outside of runs: sign-offs, lessons, drills, documents; one line each, only appended."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

import msgspec

from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.tasks import Deed

from . import folders


def place(source: str) -> Path:
    """Return the ledger's file for a source, which lies with this program's state."""
    name = hashlib.sha256(str(Path(source).absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return folders.private(folders.state_home() / "ledgers") / f"{name}.jsonl"


def note(source: str, name: str, by: str, note: str = "", *, ok: bool = True) -> Deed:
    """Append a deed; returns it. Raises OSError."""
    deed = Deed(round(time.time(), 3), name, by, note, ok)
    with open(os.open(place(source), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:  # noqa: PTH123 - a mode is needed
        # Begins a line of its own even after one that a power cut left without its end.
        stream.write(b"\n" + to_json(deed) + b"\n")
    return deed


def read(source: str) -> tuple[Deed, ...]:
    """Return all deeds, oldest first; a line that was cut off by a power cut is left out. Raises OSError."""
    try:
        lines = place(source).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    found = []
    for line in filter(None, lines):
        with contextlib.suppress(msgspec.MsgspecError):
            found.append(from_json(line, Deed))
    return tuple(found)
