"""The plan up close: the columns of a table, and the SQL."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from zenni_tui.engine import client, folders
from zenni_tui.model.findings import Finding
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan, TargetType
from zenni_tui.model.schema import SourceColumn, SourceTable
from zenni_tui.ui.planning import default_words, first_line_of
from zenni_tui.ui.widgets.bars import Keys, keys_line
from zenni_tui.ui.widgets.canvas import Scroll, Text
from zenni_tui.ui.widgets.rows import Column, Rows
from zenni_tui.ui.words import Glyphs, Line, Tone, fit, paragraph, preformatted, things

from .box import Box

_COLUMNS = (
    Column("source", 13, most=30),
    Column("declared", 8, most=20),
    Column("target", 13, most=30),
    Column("type", 16, most=24),
    Column("rules", 14, most=60, need=66),
)
_LABEL = 9
_DATES = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE, Kind.TIME})


def short_type(kind: TargetType) -> str:
    """Return a type in the short words PostgreSQL knows too, such as timestamptz(3)."""
    name = str(kind).removesuffix(" without time zone")
    return f"timestamptz{name[9:-15]}" if name.endswith(" with time zone") else name


class PlanView(Box[None]):
    """The base of both: it shows another plan when there is one."""

    @abstractmethod
    def renew(self, plan: Plan) -> None:
        """Show what became of it in a newer plan."""


class ColumnRow(NamedTuple):
    """A planned column, and what the source declares of it."""

    plan: ColumnPlan
    source: SourceColumn | None
    key: bool


def rules_of(row: ColumnRow) -> str:
    """Return what a column must hold, beyond its type."""
    plan = row.plan
    words = ["key" if row.key else "", "NOT NULL" if plan.not_null and not row.key else ""]
    words += [plan.counter or "", "generated" if plan.generated else "", "default" if plan.default else ""]
    words += [things(len(plan.repairs), "repair") if plan.repairs else "", plan.zone or ""]
    return ", ".join(filter(None, words))


def _cells(row: ColumnRow, _: Sequence[int]) -> Sequence[Line]:
    declared = (row.source.declared or "no type") if row.source else ""
    repaired = Tone.WARN if row.plan.repairs else Tone.DIM
    return (
        ((row.plan.source or "-", Tone.PLAIN),),
        ((declared, Tone.DIM),),
        ((row.plan.name, Tone.PLAIN),),
        ((short_type(row.plan.type), Tone.STRONG),),
        ((rules_of(row), repaired),),
    )


def column_lines(row: ColumnRow, findings: Sequence[Finding], width: int) -> list[Line]:
    """Return all about one column: from what to what, and what is done with its values."""
    plan, source = row.plan, row.source
    facts = [("source", _source_words(plan, source)), ("target", _target_words(row))]
    facts += [("default", default_words(plan.default)), ("computed", plan.generated or "")]
    facts += [("numbers", f"read as {plan.epoch}" if plan.type.kind in _DATES else "")]
    facts += [("zone", plan.zone or ""), ("counts", plan.counter or "")]
    facts += [("repair", f"{r.code}: {r.action}{f' {r.value!r}' if r.value is not None else ''}") for r in plan.repairs]
    facts += [("found", f"{f.code}: {f.message}") for f in findings]
    return [n for label, text in facts if text for n in paragraph(text, width, head=(fit(label, _LABEL), Tone.DIM))]


def _source_words(plan: ColumnPlan, source: SourceColumn | None) -> str:
    if plan.source is None:
        return "nothing: no column of the source feeds it"
    if source is None:
        return plan.source
    words = [f"{source.name}, declared {source.declared or 'without a type'}", "NOT NULL" if source.not_null else ""]
    words += [f"default {source.default}" if source.default is not None else ""]
    return ", ".join([*filter(None, words), *([f"generated {source.generated}"] if source.generated else [])])


def _target_words(row: ColumnRow) -> str:
    plan = row.plan
    null = "NOT NULL" if plan.not_null or row.key else "may be NULL"
    return ", ".join([f"{plan.name} {plan.type}", null, *(["part of the key"] if row.key else [])])


class TableScreen(PlanView):
    """The columns of one table; t gives one another type."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", "Close", show=False),
        Binding("t", "type", "Another type", show=False),
        Binding("d", "ddl", "SQL", show=False),
    ]
    ABOUT = "The columns of one table: what the source declares, and what PostgreSQL will get."
    KEYS = (
        ("Up, Down", "another column; the lines below tell all about it"),
        ("t", "give the column another type, of those that hold all its values"),
        ("d", "the table's SQL"),
        ("Esc, Enter", "close"),
    )

    def __init__(
        self,
        table: TablePlan,
        declared: Callable[[str], SourceTable | None],
        findings: Sequence[Finding],
        ddl: Callable[[str], object],
        retype: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.table = table
        self._declared = declared
        self._findings = findings
        self._ddl = ddl
        self._retype = retype

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box full"):
            yield Text(id="story")
            yield Rows(_COLUMNS, _cells, empty="No columns.", id="columns")
            yield Scroll(id="column", classes="detail")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the columns."""
        self.query_one("#story", Text).show(self._head)
        self._show()
        self.query_one(Rows).focus()

    def renew(self, plan: Plan) -> None:
        """Show the table as another plan has it; close when it has none."""
        table = next((t for t in plan.tables if t.source == self.table.source), None)
        if table is None:
            self.dismiss(None)
            return
        self.table = table
        self._show()

    def _show(self) -> None:
        table = self.table
        source = self._declared(table.source)
        key = table.key.columns if table.key else ()
        rows = [
            ColumnRow(c, source.column(c.source) if source and c.source else None, c.name in key) for c in table.columns
        ]
        self.query_one(Rows).show(rows)
        self.query_one(Rows).refresh()
        self.query_one("#story", Text).repaint()
        self._explain()

    @on(Rows.Moved)
    def _explain(self) -> None:
        self.query_one("#column", Scroll).show(self._lines)
        self.query_one("#how", Text).show(lambda width: [keys_line(self._keys(), width)])

    def _keys(self) -> Keys:
        return (("Up/Down", "column"), ("t", "another type"), ("d", "SQL"), ("Tab", "read"), ("Esc", "close"))

    def _head(self, width: int) -> list[Line]:
        table = self.table
        glyphs: Glyphs = self.query_one("#story", Text).glyphs
        names = table.source if table.source == table.name else f"{table.source} {glyphs.arrow} {table.name}"
        key = f"key {', '.join(table.key.columns)}" if table.key else "no key"
        text = f"{things(table.rows, 'row')}, {things(len(table.columns), 'column')}, {key}"
        out = f", {things(len(table.quarantine), 'row')} kept out" if table.quarantine else ""
        return [*paragraph(names, width, Tone.STRONG), *paragraph(text + out, width, Tone.DIM)]

    def _lines(self, width: int) -> list[Line]:
        row = self.query_one(Rows).current
        if not isinstance(row, ColumnRow):
            return []
        found = [f for f in self._findings if row.plan.source and f.column == row.plan.source]
        return column_lines(row, found, width)

    def action_type(self) -> None:
        """Choose another type for the column under the cursor."""
        row = self.query_one(Rows).current
        if isinstance(row, ColumnRow) and row.plan.source is not None:
            self._retype(row.plan.source)

    def action_ddl(self) -> None:
        """Show the SQL that makes the table."""
        self._ddl(self.table.name)

    def action_close(self) -> None:
        """Go back to the tables."""
        self.dismiss(None)


class DdlScreen(PlanView):
    """The SQL of the plan, from the table asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,d,q", "close", "Close", show=False)]
    ABOUT = "The SQL that makes the target, as it will be run."
    KEYS = (("Up, Down", "read on"), ("Esc, Enter, d, q", "close"))

    def __init__(self, folder: Path, schema: str, table: str = "") -> None:
        super().__init__()
        self._folder = folder
        self._schema = schema
        self._table = table
        self._sql = ""

    def compose(self) -> ComposeResult:
        """Return the box."""
        with Vertical(classes="box full"):
            yield Text(id="story")
            yield Scroll(id="sql")
            yield Text(id="how")

    def on_mount(self) -> None:
        """Show the SQL."""
        path = str(self._folder / folders.DDL)
        self.query_one("#story", Text).show(lambda width: paragraph(path, width, head=("SQL  ", Tone.STRONG)))
        keys: Keys = (("Up/Down, PgUp/PgDn", "read"), ("Home/End", "jump"), ("Esc", "close"))
        self.query_one("#how", Text).show(lambda width: [keys_line(keys, width)])
        self._read()
        self.query_one("#sql").focus()
        self.call_after_refresh(self._to_table)

    def renew(self, plan: Plan) -> None:
        """Read the SQL of another plan."""
        self._schema = plan.schema
        self._read()

    def _read(self) -> None:
        try:
            self._sql = client.ddl_of(self._folder)
        except (OSError, ValueError) as error:
            self._sql = f"It can't be read: {error}"
        text = self._sql or "There is no SQL yet: the plan is not made."
        self.query_one("#sql", Scroll).show(lambda width: preformatted(text, width))

    def _to_table(self) -> None:
        scroll = self.query_one("#sql", Scroll)
        if self._table:
            texts = ["".join(text for text, _ in line) for line in scroll.lines]
            scroll.scroll_to(y=first_line_of(texts, self._schema, self._table), animate=False, immediate=True)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
