"""What a run's screen does about findings and the plan: opens them, and tells the engine what the operator chose."""

import functools
from abc import abstractmethod
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from zenni_tui.engine import client
from zenni_tui.model.choices import cast_finding
from zenni_tui.model.findings import Finding
from zenni_tui.model.request import Reply
from zenni_tui.model.runbook import StepId
from zenni_tui.ui.choosing import argument_of, when
from zenni_tui.ui.offer import Offer
from zenni_tui.ui.planning import Book
from zenni_tui.ui.situation import Situation
from zenni_tui.ui.widgets.bars import Gate
from zenni_tui.ui.words import Tone

from .audit import AuditPanel
from .control import ControlScreen
from .plan import PlanPanel
from .planview import DdlScreen, PlanView, TableScreen
from .repair import RepairScreen


class ReviewScreen(ControlScreen):
    """The part of a run's screen where findings and plan are looked through before anything is written."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose", "Choose a repair", show=False),
        Binding("x", "take_back", "Take a choice back", show=False),
        Binding("i", "keep", "Keep the choices in config.toml", show=False),
        Binding("d", "ddl", "The plan's SQL", show=False),
    ]

    follower: client.Follower
    now: Situation
    chosen: StepId | None
    offer: Offer | None

    @abstractmethod
    def poll(self) -> None:
        """Read what is new and show what changed."""

    @abstractmethod
    def display_all(self) -> None:
        """Hand the moment to every part that is in sight."""

    @property
    def findings(self) -> AuditPanel:
        """Return the panel with the findings."""
        return self.query_one(AuditPanel)

    @property
    def book(self) -> Book:
        """Return the plan."""
        return self.query_one(PlanPanel).book

    def _in_sight(self) -> Finding | None:
        """Return the finding under the cursor; when the findings aren't on display they come to it first."""
        panel = self.findings
        if not panel.display:
            self.chosen = StepId.AUDIT
            self.display_all()
            panel.rows.focus()
            return None
        return panel.rows.current

    def to_findings(self) -> None:
        """Put the cursor on the first finding that waits for a choice; with none left, on the engine's question."""
        if self.findings.display and self.findings.to_next():
            self.findings.rows.focus()
        elif self.query_one(Gate).display:
            self.query_one(Gate).focus()

    def action_choose(self) -> None:
        """Choose a repair for the finding under the cursor."""
        finding = self._in_sight()
        if finding is not None:
            self._open(finding)

    @on(AuditPanel.Opened)
    def opened_finding(self, message: AuditPanel.Opened) -> None:
        """Show a finding whole."""
        self._open(message.finding)

    def _open(self, finding: Finding) -> None:
        def choose(repair: str) -> Reply:
            return self.follower.send("choose", finding=finding.id, repair=repair)

        self.app.push_screen(RepairScreen(finding, choose, when(self.now)), self._chosen)

    def _chosen(self, made: bool | None) -> None:  # noqa: FBT001 - Textual's signature
        if made:
            self.tell("")
            self.poll()
            self.to_findings()

    def action_take_back(self) -> None:
        """Take back the choice for the finding under the cursor."""
        finding = self._in_sight()
        if finding is None:
            return
        if when(self.now):
            self.tell(when(self.now), Tone.WARN)
        elif finding.chosen is None:
            self.tell("Nothing is chosen for this finding.", Tone.DIM)
        else:
            self._take_back(finding)

    @work
    async def _take_back(self, finding: Finding) -> None:
        answer = await self.ask_engine_room(lambda: self.follower.send("choose", finding=finding.id))
        if answer is not None:
            self.tell(answer[0].message, Tone.PLAIN if answer[0].ok else Tone.BAD)
        self.poll()

    def action_keep(self) -> None:
        """Keep what was chosen, for the next run."""
        if self.offer is None:
            self.tell("This screen only looks on. zenni-tui, in the folder with the config, can keep them.", Tone.DIM)
        elif not any(f.chosen for f in self.now.state.findings):
            self.tell("Nothing is chosen in this run: c on a finding chooses.", Tone.DIM)
        else:
            self._keep(self.offer)

    @work
    async def _keep(self, offer: Offer) -> None:
        kept = await self.ask_engine_room(lambda: offer.keep(self.now.state.findings))
        if kept is not None:
            self.tell(kept[0], Tone.GOOD)

    @on(PlanPanel.Opened)
    def opened_table(self, message: PlanPanel.Opened) -> None:
        """Show the columns of a table."""
        row = message.row
        if row.rule:
            self.tell(f"{row.source} is not migrated: {row.rule}")
        elif row.table is None:
            self.tell("The plan's file isn't there, so its columns can't be shown.", Tone.DIM)
        else:
            findings = [f for f in self.now.state.findings if f.table == row.source]
            retype = functools.partial(self.retype, row.source)
            self.app.push_screen(TableScreen(row.table, self.book.declared, findings, self.show_ddl, retype))

    def retype(self, table: str, column: str) -> None:
        """Choose a type for a column among those that hold all of its values, or any other by its name."""
        known = {f.id: f for f in self.now.state.findings}
        finding = cast_finding(table, column, self.book.others(table, column))
        chosen = argument_of((known.get(finding.id) or finding).chosen or "")
        others = dict.fromkeys((*([chosen] if chosen else []), *self.book.others(table, column)))
        self._open(cast_finding(table, column, others or ("text",), chosen or None))

    def action_ddl(self) -> None:
        """Show the SQL of the plan, from the table under the cursor."""
        row = self.query_one(PlanPanel).rows.current if self.query_one(PlanPanel).display else None
        self.show_ddl(row.target if row else "")

    def show_ddl(self, table: str) -> None:
        """Show the SQL of the plan, from a table on."""
        schema = self.book.plan.schema if self.book.plan else ""
        self.app.push_screen(DdlScreen(self.now.folder, schema, table))

    def renew_views(self) -> None:
        """Hand a plan made anew to the boxes that show the one before."""
        plan = self.book.plan
        for screen in self.app.screen_stack:
            if isinstance(screen, PlanView) and plan is not None:
                screen.renew(plan)
