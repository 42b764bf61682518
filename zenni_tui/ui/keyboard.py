"""The terminal's line: a lone Esc is known in a moment, and the size is what the line says it is."""

import codecs
import os
import select

from textual._xterm_parser import XTermParser  # the parser that Textual's own driver for terminals uses
from textual.drivers.linux_driver import LinuxDriver

_LOOK_SECONDS = 0.1
_ESCAPE_SECONDS = 0.025
_ESCAPE, _ESCAPE_KEY = b"\x1b", b"\x1b[27u"


class Keyboard(LinuxDriver):
    """Reads keys as Textual does, but waits less long for what may follow an Esc.

    Terminals send a key's bytes at once, so that what stands alone after a moment is the Esc key. It goes on in the
    form that can't be mistaken (https://sw.kovidgoyal.net/kitty/keyboard-protocol).
    """

    def run_input_thread(self) -> None:
        """Read until the screen is closed or the line is gone."""
        parser, decode = XTermParser(), codecs.getincrementaldecoder("utf-8")().decode
        while not self.exit_event.is_set():
            if self._readable(_LOOK_SECONDS):
                data = self._typed()
                if not data:
                    return
                for message in parser.feed(text) if (text := decode(data)) else ():
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Ask the line itself: a shell that exports COLUMNS would hold the screen at one size for ever."""
        try:
            columns, lines = os.get_terminal_size(self.fileno)
        except OSError:
            columns = lines = 0
        return (columns, lines) if columns and lines else super()._get_terminal_size()

    def _typed(self) -> bytes:
        data = os.read(self.fileno, 4096)
        if data.endswith(_ESCAPE) and not self._readable(_ESCAPE_SECONDS):
            return data.removesuffix(_ESCAPE) + _ESCAPE_KEY
        return data

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self.fileno], [], [], seconds)[0])
