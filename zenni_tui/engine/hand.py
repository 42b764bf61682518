"""Which screen has control of a run: one at a time, so that two people don't steer against each other.

The engine itself takes commands from whoever may open its socket; this is an understanding among screens.
"""

import contextlib
import secrets
from pathlib import Path

import msgspec

from zenni_tui.files import write_private
from zenni_tui.model.record import Record, from_json, to_json

from . import folders

CONTROL = "control.json"
_LOCKS = "screen-*.lock"


class Holder(Record, frozen=True):
    """The screen that has control: its token, and who sits there."""

    token: str
    who: str


class Hand:
    """One screen's hand on a run; it lets go when the screen's process ends, however that comes about."""

    def __init__(self, folder: Path, who: str) -> None:
        self._folder = folder
        self._who = who
        self._token = secrets.token_hex(8)
        self._lock = folders.Lock(folder / f"screen-{self._token}.lock")
        self._locked = False

    def take(self) -> None:
        """Take control, from whoever has it; raises OSError."""
        for left in self._folder.glob(_LOCKS):
            if left != self._lock.path and folders.holder(left) is None:
                left.unlink(missing_ok=True)
        if not self._locked:
            self._locked = self._lock.acquire(self._who)
        write_private(self._folder / CONTROL, to_json(Holder(self._token, self._who)))

    def other(self) -> str:
        """Return who else has control, empty when it is ours or nobody's."""
        try:
            found = from_json((self._folder / CONTROL).read_bytes(), Holder)
        except (OSError, msgspec.MsgspecError):
            return ""
        if found.token == self._token or folders.holder(self._folder / f"screen-{found.token}.lock") is None:
            return ""
        return found.who

    def release(self) -> None:
        """Let go."""
        self._lock.release()
        self._locked = False
        with contextlib.suppress(OSError):
            self._lock.path.unlink(missing_ok=True)
