"""What every step works with: the orders, the run directory, the target, and the way to tell what happens."""

import asyncio
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from zenni_tui.application import prisma, prisma_plan
from zenni_tui.convert import meanwhile, planner
from zenni_tui.errors import Halted, Occupied, Stopped
from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.choices import NONE, Choices, cast_finding
from zenni_tui.model.findings import Finding
from zenni_tui.model.plan import Plan, parse_type
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import R, Record, from_json, to_json
from zenni_tui.model.request import Reply, Request
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import SourceSchema
from zenni_tui.model.state import RunState
from zenni_tui.source import working
from zenni_tui.target import access
from zenni_tui.target.connect import Target

from . import kept
from .patience import Patience, insist
from .steering import Steering

if TYPE_CHECKING:
    from .following import Following

T = TypeVar("T")

SERVERS_WORD = ("_refused", "foreign_key_types", access.OPEN)
"""How the codes of findings end that only the server's own word brings to light."""


class Step(ABC):
    """One step of the runbook; a step that writes nothing outside the run directory has nothing to undo."""

    id: StepId
    each_time = False
    """Whether a resume does it again, because it holds something alive."""

    def stands(self, run: "Run") -> bool:  # noqa: ARG002 - those that leave large files need it
        """Return whether what it made is still there, so that a resume can pass it by."""
        return True

    def asked(self, run: "Run") -> bool:  # noqa: ARG002 - most steps belong to every run
        """Return whether the run's orders want it; a step that nobody asked for does nothing and says so."""
        return True

    async def check(self, run: "Run") -> None:  # noqa: B027 - most steps need what the one before has checked
        """Make sure that the step can be done; raises NotReady or Occupied before anything is changed."""

    @abstractmethod
    async def run(self, run: "Run") -> str:
        """Do it, from wherever an earlier attempt left off; returns a summary in one sentence."""

    async def undo(self, run: "Run") -> str:  # noqa: ARG002 - those that write need it
        """Take it back, however far it came; returns a summary in one sentence."""
        return "wrote nothing"


class Decided(Record, frozen=True):
    """What was asked for; the choices that hold, those taken of offers included; the rows that stay out, by table."""

    asked: Choices
    choices: Choices
    quarantine: dict[str, tuple[int, ...]]


class Ticking(Protocol):
    """What wants to hear that time passes."""

    def tick(self) -> None:
        """Take in that some time has passed."""


SidesTried = Callable[[tuple[str, ...]], tuple[bool, str]]
"""Tells whether and how the application's new side was tried in a rehearsal, some words of the operator's granted."""


def _nobody_asks(_: tuple[str, ...]) -> tuple[bool, str]:
    return True, "no rehearsal is asked for"


class Run:
    """One run; its artifacts are files of the run directory, read again after a resume."""

    def __init__(
        self, request: Request, folder: Path, tell: Callable[[e.AnyEvent], object], state: Callable[[], RunState]
    ) -> None:
        self.request = request
        self.folder = folder
        self.tell = tell
        self.state = state
        self.target: Target | None = None
        self.fence = 0
        self.stopping = asyncio.Event()
        self.finishing = asyncio.Event()
        self.lease_lost = asyncio.Event()
        self.halted: Halted | None = None
        self.pool: object | None = None
        self.ahead: object | None = None
        self.profiling: object | None = None
        self.sides_tried: SidesTried = _nobody_asks
        self.meter: Ticking | None = None
        self.following: Following | None = None
        """What keeps the target in step with the source, from `catch_up` on; None where nobody asked for it."""
        self.patience = Patience(tell, self._at_work, request.retry_minutes * 60)
        asked = e.Throttled(request.workers)
        self.steering = Steering(tell, state().throttled or asked)
        self.cleanup: list[Callable[[], object]] = []

    def _at_work(self) -> StepId:
        current = self.state().current
        return current.id if current else StepId.REACH

    @property
    def backup(self) -> Path:
        """Return the snapshot's place, which is kept as it was hashed."""
        return self.folder / working.SNAPSHOT

    @property
    def working(self) -> Path:
        """Return the place of the snapshot's working copy, which there is only for names that are not UTF-8."""
        return self.folder / working.WORKING

    @property
    def snapshot(self) -> Path:
        """Return the file from which everything is read: the snapshot, or its working copy."""
        return working.readable(self.folder)

    @property
    def source(self) -> Path:
        """Return the source's place."""
        return Path(self.request.source)

    @property
    def to(self) -> Target:
        """Return the target that `reach` has opened."""
        assert self.target is not None  # noqa: S101 - reach comes first in every runbook
        return self.target

    def schema(self) -> SourceSchema:
        """Return what the file declares, as inspected."""
        return self.load("schema.json", SourceSchema)

    def plan(self) -> Plan:
        """Return the plan."""
        return self.load("plan.json", Plan)

    def plan_repaired(self) -> Plan:
        """Return the plan for what was written since the snapshot, with the repairs chosen for such values."""
        return meanwhile.repaired(self.plan(), self.choices())

    def plan_meanwhile(self) -> Plan:
        """Return the plan for all that the source holds now, without the rows that are kept out since the snapshot."""
        plan, out = self.plan_repaired(), kept.numbers(self.folder)
        return meanwhile.without(plan, out) if out else plan

    def draft(
        self, profiles: Profiles, choices: Choices, quarantine: dict[str, tuple[int, ...]]
    ) -> tuple[Plan, tuple[Finding, ...]]:
        """Return the plan that follows from file, Prisma schema and choices, and what it says of them."""
        schema = self.schema()
        facts = planner.Facts(schema, profiles.tables, profiles.spans, choices, quarantine, profiles.shapes)
        if self.request.prisma_schema is None:
            return planner.make(facts, None, self.request.schema)
        read = prisma.read_schema(Path(self.request.prisma_schema))
        wanted = prisma_plan.target_plan(read, namespace=self.request.schema)
        plan, findings = planner.make(facts, wanted, self.request.schema)
        return plan, prisma_plan.drift(wanted, schema) + findings

    def choices(self) -> Choices:
        """Return what the operator decided: on the way, or else in the orders."""
        if (self.folder / "choices.json").exists():
            return self.load("choices.json", Choices)
        return self.request.choices

    def choose(self, finding: str, repair: str, by: str) -> None:
        """Keep a choice of the operator's, to be heeded by the next audit."""
        choices = self.choices()
        repairs = {i: r for i, r in choices.repairs.items() if i != finding}
        if repair or choices.accept_lossless:
            repairs[finding] = repair or NONE
        self.save("choices.json", msgspec.structs.replace(choices, repairs=repairs))
        self.tell(e.Chosen(finding, repair, by))

    def cast(self, finding: str, repair: str, by: str) -> Reply:
        """Keep a type chosen for a column, or none when `repair` is empty; the answer says what is wrong with it."""
        columns = ((t.name, c.name) for t in self.schema().tables for c in t.columns)
        place = next((p for p in columns if finding == cast_finding(*p, ()).id), None)
        kind = repair.removeprefix("type:")
        try:
            known = not kind or parse_type(kind)
        except ValueError as error:
            return Reply(ok=False, message=str(error))
        if place is None or not known:
            return Reply(ok=False, message=f"{finding} is no column of the source")
        self.save("choices.json", self.choices().with_cast(".".join(place), kind))
        self.tell(e.FindingMade(StepId.PLAN, cast_finding(*place, (kind,) if kind else (), kind or None)))
        self.tell(e.Chosen(finding, repair, by))
        return Reply(ok=True, message=f"{finding}: {kind or 'no choice'}")

    def load(self, name: str, kind: type[R]) -> R:
        """Read a record from the run directory."""
        return from_json((self.folder / name).read_bytes(), kind)

    def save(self, name: str, record: object) -> None:
        """Write a record to the run directory, whole or not at all."""
        self.write(name, msgspec.json.format(to_json(record), indent=1))

    def write(self, name: str, data: bytes) -> None:
        """Write a private file to the run directory, whole or not at all."""
        write_private(self.folder / name, data)

    def check(
        self, step: StepId, name: str, found: str, *, ok: bool | None = True, advice: str = "", tried: str = ""
    ) -> None:
        """Tell of one check."""
        self.tell(e.CheckMade(step, name, ok, found, advice, tried))

    def say(self, text: str, level: str = "info") -> None:
        """Tell one line of narration."""
        self.tell(e.Said(level, text))

    def find(self, step: StepId, findings: Iterable[Finding], keys: Mapping[str, Sequence[str]]) -> None:
        """Tell of findings, and keep them with all their keys, by finding's id, in the evidence."""
        known = {f.id: f for f in self.state().findings}
        fresh = [f for f in findings if known.get(f.id) != f]
        path = self.folder / "findings.jsonl"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as stream:  # noqa: PTH123 - a mode is needed
            for finding in fresh:
                whole = msgspec.to_builtins(finding)
                whole["keys"] = list(keys.get(finding.id, finding.keys))
                stream.write(json.dumps(whole, ensure_ascii=False) + "\n")
                self.tell(e.FindingMade(step, finding))

    async def insist(self, where: str, deed: Callable[[], T]) -> T:
        """Do to the target, in a thread, what can be repeated, again and again while its trouble may pass."""
        return await insist(self.patience, where, deed, give_up=self.stop_here)

    def safe_point(self) -> None:
        """Wait here in a thread while the run is paused; raises as `stop_here` does."""
        self.steering.wait(self.stop_here)

    @property
    def ending(self) -> bool:
        """Return whether `stop_here` would raise."""
        return self.stopping.is_set() or self.lease_lost.is_set() or self.halted is not None

    def stop_here(self) -> None:
        """Raise Stopped when the operator asked for it, Occupied when the lease is lost; for safe points only."""
        if self.halted is not None:
            raise self.halted
        if self.lease_lost.is_set():
            raise Occupied(
                "Another engine has taken over this target.",
                next_step="Nothing more is written here. Look at the other run: zenni-tui runs",
            )
        if self.stopping.is_set():
            raise Stopped("Stopped at a safe point.", next_step="Go on with: zenni-tui resume")
