"""How many rows go in one transaction: as wished for, and fewer where a lost line would cost too much time."""

from collections.abc import Callable

LONGEST = 60.0
"""Seconds that one transaction may take: as much work is lost with a line, and done again."""
_QUICK = LONGEST / 4
_LEAST = 50


class Chunks:
    """The size of chunks: what the operator wishes, else the plan's, less what the line's speed asks for.

    `say` tells of each change, `share` hands the size to the workers; 0 means as the plan has it.
    """

    def __init__(self, say: Callable[[str], object], share: Callable[[], object]) -> None:
        self._say, self._share = say, share
        self._wished = self._planned = self._fewer = 0
        self._rate = 0.0

    @property
    def rows(self) -> int:
        """Return how many rows a chunk may have, 0 for as many as planned."""
        return min(self._wished, self._fewer) if self._wished and self._fewer else self._wished or self._fewer

    @property
    def usual(self) -> int:
        """Return how many rows a chunk has on a line that is fast enough."""
        return self._wished or self._planned

    def wish(self, rows: int) -> None:
        """Take over what the operator wishes, 0 for the plan's."""
        self._wished, self._fewer = rows, 0

    def measured(self, rate: float) -> None:
        """Take in the rate of the line to the target, in bytes a second."""
        self._rate = rate

    def begin(self, planned: int, row_bytes: float, workers: int) -> None:
        """Begin to copy chunks of so many rows of about so many bytes, by so many workers at once."""
        self._planned = planned
        fit = int(LONGEST * self._rate / workers / max(row_bytes, 1.0))
        if self._rate and fit < self.usual:
            self._change(fit, f"The line carries {self._rate / 1000:,.0f} KB/s.")

    def took(self, rows: int, seconds: float) -> None:
        """Take in how long a chunk took."""
        if seconds > LONGEST and rows > _LEAST:
            self._change(int(rows * LONGEST / seconds / 2), f"{rows:,} rows took {seconds:.0f} s.")
        elif self._fewer and seconds < _QUICK and rows >= self._fewer // 2:
            self._change(self._fewer * 2, f"{rows:,} rows took only {seconds:.1f} s.")

    def lost(self) -> None:
        """Take in that the line was lost with a chunk under way: less of it will be at stake next time."""
        if self._planned:
            self._change((self.rows or self._planned) // 2, "The line was lost.")

    def end(self) -> None:
        """End the copy: what happens to the line from now on is no matter of chunks."""
        self._planned = 0

    def _change(self, rows: int, why: str) -> None:
        before = self._fewer
        self._fewer = 0 if rows >= self.usual else max(rows, _LEAST)
        if self._fewer != before:
            self._share()
            self._say(f"{why} Chunks have {self._fewer or self.usual:,} rows from now on.")
