"""The panel of the copy: how far each table is, how fast, how much."""

from collections.abc import Sequence

from zenni_tui.model.runbook import StepId, StepState, TableVerdict
from zenni_tui.model.state import TableView
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone, short, short_size, size

from .tables import VERDICTS, TablesPanel, number

_COLUMNS = (
    Column("table", 12, most=24),
    Column("", 6, most=20, need=46),
    Column("rows", 9, most=19, right=True),
    Column("rows/s", 6, right=True, need=53),
    Column("sent", 6, right=True, need=53),
    Column("state", 9),
)


class CopyPanel(TablesPanel):
    """Tables on their way."""

    def make_rows(self) -> Rows:
        """Return the list of tables."""
        return Rows(_COLUMNS, self._cells, empty="No table yet: the plan is not made.")

    def unfinished(self, table: TableView) -> bool:
        """Return whether rows of a table are still to come."""
        return table.verdict is None and table.copied < table.rows

    def more_figures(self, now: Situation) -> str:
        """Return how much was sent."""
        return f"{size(sum(t.bytes for t in now.state.tables.values()))} sent"

    def _cells(self, table: TableView, widths: Sequence[int]) -> Sequence[Line]:
        word, tone = self._word(table)
        undone = word in {"undone", "undoing"}
        left_out = tone is Tone.DIM and table.verdict is not None
        share = table.copied / table.rows if table.rows else float(word != "to do")
        rate = short(int(table.copied / table.copy_seconds)) if table.copy_seconds and table.copied else ""
        bar = () if undone or left_out else self._bar(table, share, widths[1])
        return (
            ((table.target, Tone.DIM if left_out else Tone.PLAIN),),
            bar or (("", Tone.DIM),),
            ((_rows(table, widths[2]), Tone.DIM if left_out else Tone.PLAIN),),
            ((rate, Tone.DIM),),
            ((short_size(table.bytes) if table.bytes else "", Tone.DIM),),
            ((word, tone),),
        )

    def _bar(self, table: TableView, share: float, width: int) -> Line:
        proven = VERDICTS[table.verdict][1] is Tone.GOOD if table.verdict else False
        return self.table_bar(table.target, share, width, proven=proven)

    def _word(self, table: TableView) -> tuple[str, Tone]:
        state = self.now.state.step(StepId.COPY).state if self.now else StepState.PENDING
        left_out = table.verdict in {TableVerdict.NOT_MIGRATED, TableVerdict.EXCLUDED}
        if state in {StepState.UNDOING, StepState.UNDONE} and not left_out:
            return state, Tone.WARN
        if table.verdict:
            return VERDICTS[table.verdict]
        if state is StepState.DONE or (table.rows and table.copied >= table.rows):
            return "copied", Tone.BUSY
        if not table.copied:
            return "to do", Tone.DIM
        working = state is StepState.RUNNING and self.now is not None and not self.now.interrupted
        return ("copying", Tone.BUSY) if working else ("partly", Tone.WARN)


def _rows(table: TableView, width: int) -> str:
    if table.verdict is TableVerdict.NOT_MIGRATED:
        return number(table.rows, width)
    half = (width - 1) // 2
    return f"{number(table.copied, half)}/{number(table.rows, half)}"
