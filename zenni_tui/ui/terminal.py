"""The terminal's habits: no colour means no colour, and a line that drops ends the screen, never the engine."""

import os
import signal
import sys
import termios
import threading
import time

_LOOK_SECONDS = 2.0
_LINE_LOST = 128 + signal.SIGHUP


def prepare() -> None:
    """Set the process up for a screen: an empty NO_COLOR is unset (https://no-color.org), SIGHUP ends the screen."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def watch_line() -> None:
    """Leave the process when the terminal is gone, or was gone before the screen began.

    A thread looks, since an event loop that writes to a dead terminal may stand still; nothing can be tidied up then.
    """
    if sys.__stdin__ is not None:
        threading.Thread(target=_watch, args=(sys.__stdin__.fileno(),), name="line", daemon=True).start()


def _watch(fd: int) -> None:
    while _there(fd):
        time.sleep(_LOOK_SECONDS)
    os._exit(_LINE_LOST)


def _there(fd: int) -> bool:
    try:
        termios.tcgetattr(fd)
    except (OSError, termios.error):
        return False
    return True
