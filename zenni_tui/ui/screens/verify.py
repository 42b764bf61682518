"""The panel of the verification: rows on both sides, how many differ, the verdict of each table."""

from collections.abc import Sequence

from zenni_tui.model.runbook import StepId, StepState
from zenni_tui.model.state import TableView
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Line, Tone

from .tables import VERDICTS, TablesPanel, number

_COLUMNS = (
    Column("table", 12, most=32),
    Column("", 6, most=20, need=50),
    Column("source", 8, most=13, right=True),
    Column("target", 8, most=13, right=True, need=40),
    Column("differ", 6, most=11, right=True),
    Column("verdict", 9),
)


class VerifyPanel(TablesPanel):
    """Tables compared."""

    def make_rows(self) -> Rows:
        """Return the list of tables."""
        return Rows(_COLUMNS, self._cells, empty="No table yet: the plan is not made.")

    def unfinished(self, table: TableView) -> bool:
        """Return whether a table is still to be compared."""
        return table.verdict is None

    def _cells(self, table: TableView, widths: Sequence[int]) -> Sequence[Line]:
        word, tone = self._word(table)
        share = table.compared / table.rows if table.rows else float(table.verdict is not None)
        bar = self.table_bar(table.target, share, widths[1], proven=tone is Tone.GOOD) if tone is not Tone.DIM else ()
        target = number(table.rows_target, widths[3]) if table.rows_target is not None else ""
        source = table.rows if table.rows_source is None else table.rows_source
        differ = number(table.rows_differing, widths[4]) if table.rows_target is not None else ""
        return (
            ((table.target, Tone.PLAIN),),
            bar or (("", Tone.DIM),),
            ((number(source, widths[2]), Tone.PLAIN),),
            ((target, Tone.PLAIN),),
            ((differ, Tone.BAD if table.rows_differing else Tone.PLAIN),),
            ((word, tone),),
        )

    def _word(self, table: TableView) -> tuple[str, Tone]:
        if table.verdict:
            return VERDICTS[table.verdict]
        running = self.now is not None and self.now.state.step(StepId.VERIFY).state is StepState.RUNNING
        return ("comparing", Tone.BUSY) if running and table.compared else ("to do", Tone.DIM)
