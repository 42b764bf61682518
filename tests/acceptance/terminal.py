"""A terminal of 80 columns and 24 lines in which the real program runs."""

import os
import time
from collections.abc import Callable

import pexpect
import psutil
import pyte
from support import PATIENCE, PROGRAM, Program


class Terminal:
    """Types keys and reads the screen as a person would: it waits for words, not for times."""

    def __init__(self, program: Program, *arguments: str) -> None:
        # Some shells export a size that the line does not have any more.
        environment = program.environment | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        self._child = pexpect.spawn(
            PROGRAM[0],
            [*PROGRAM[1:], *arguments],
            env=environment,
            cwd=str(program.home),
            dimensions=(24, 80),
            encoding=None,
        )
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self.received = 0
        self.heard = 0.0

    @property
    def text(self) -> str:
        """Return what stands on the screen."""
        return "\n".join(self._screen.display)

    @property
    def cpu(self) -> float:
        """Return the seconds of processor time that the program has used."""
        times = psutil.Process(self._child.pid).cpu_times()
        return times.user + times.system

    def wait(self, *words: str, seconds: float = 60.0) -> None:
        """Read until all words stand on the screen."""
        self.until(lambda: all(w in self.text for w in words), f"{words} on the screen", seconds)

    def wait_gone(self, words: str, seconds: float = 60.0) -> None:
        """Read until words don't stand on the screen any more."""
        self.until(lambda: words not in self.text, f"{words!r} gone", seconds)

    def until(self, told: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Read until the screen tells what is waited for; `heard` is then when the last bytes of it came."""
        deadline = time.monotonic() + seconds
        while not told():
            assert time.monotonic() < deadline, f"never {what}:\n{self.text}"
            self._read()

    def colours(self, column: int) -> list[str]:
        """Return the colours of the letters of one column of the screen."""
        return [self._screen.buffer[row][column].fg for row in range(self._screen.lines)]

    def _read(self) -> None:
        try:
            self._stream.feed(self.take(0.1))
        except pexpect.EOF:
            time.sleep(0.1)

    def take(self, seconds: float) -> bytes:
        """Return what the program has written, if only within so many seconds, without showing it; counts it."""
        try:
            data = bytes(self._child.read_nonblocking(65536, timeout=seconds))
        except pexpect.TIMEOUT:
            return b""
        self.received += len(data)
        self.heard = time.monotonic()
        return data

    def press(self, keys: str) -> None:
        """Type keys."""
        self._child.send(keys)

    def strike(self, keys: str | bytes) -> float:
        """Type keys without the pause that pexpect makes before them; return when, on the monotonic clock."""
        at = time.monotonic()
        os.write(self._child.child_fd, keys.encode() if isinstance(keys, str) else keys)
        return at

    def kill(self) -> None:
        """Close the line as a dropped SSH connection does."""
        try:
            self._child.close(force=True)
        except pexpect.ExceptionPexpect:
            # Killed, but not gone within the tenth of a second that it is given there.
            self._forget()
            os.waitpid(self.pid, 0)

    @property
    def pid(self) -> int:
        """Return the program's process."""
        return int(self._child.pid)

    def drop(self) -> None:
        """Take the terminal away and nothing else: whether the program ends is its own affair."""
        self._child.ptyproc.fileobj.close()
        self._forget()

    def _forget(self) -> None:
        # Else it would close this number again, which is another terminal's by then.
        self._child.closed = self._child.ptyproc.closed = True
        self._child.child_fd = self._child.ptyproc.fd = -1

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    @property
    def code(self) -> int | None:
        """Wait for the program's end and return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._child.isalive():
            assert time.monotonic() < deadline, self.text
            self._read()
        return self._child.exitstatus
