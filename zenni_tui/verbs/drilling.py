"""A drill under way: a rehearsal on a range of its own, the fault at its moment, the score at its end."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from zenni_tui.cli import Options
from zenni_tui.engine import client, folders, ledger
from zenni_tui.engine.client import Follower
from zenni_tui.errors import StepFailed, ZenniError
from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.application import Rollback
from zenni_tui.model.drills import ACTS, Score
from zenni_tui.model.record import to_json
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import Meanwhile, RunKind, StepId, StepState
from zenni_tui.model.state import RunState, reduce
from zenni_tui.report.drills import sheet
from zenni_tui.sandbox.demo import application
from zenni_tui.sandbox.drills import HEALTH_SECONDS, Plan
from zenni_tui.sandbox.range import Pace, Range, sweep
from zenni_tui.sandbox.scoring import Card
from zenni_tui.ui.tools import Tool

from .starting import Offer, demo_settings, engage

_POLL_SECONDS = 0.05
_STOP_SECONDS = 20.0
_CHUNK_ROWS = 500
_RETRY_MINUTES = 5.0


class DrillOffer(Offer):
    """What the drill's screen can start; each start is a command of the operator's."""

    def __init__(self, session: "Session", options: Options) -> None:
        super().__init__(demo_settings(session.place.demo, options), options, demo=str(session.place.folder))
        self._session = session

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Return nothing: a drill is about its fault."""
        return ()

    def resume(self, folder: Path) -> None:
        """Start an engine that goes on."""
        self._session.given("resume")
        super().resume(folder)

    def check_again(self, folder: Path) -> None:
        """Start an engine that looks again at what stood in the way."""
        self._session.given("check")
        super().check_again(folder)

    def rollback(self, folder: Path, said: Mapping[str, str] | None = None) -> None:
        """Start an engine that takes the run back."""
        self._session.given("rollback")
        super().rollback(folder, said)

    def switch(self, folder: Path, said: Mapping[str, str]) -> None:
        """Start an engine that switches the application over."""
        self._session.given("switch")
        super().switch(folder, said)


class Session:
    """One drill from its first key to its score; a thread of its own follows the run and makes the fault."""

    def __init__(self, options: Options, plan: Plan, source: str, pace: Pace) -> None:
        home = drills_home()
        _clear(home)
        self.plan, self.facts, self.acts = plan, plan.facts, ACTS
        self.place = Range(home, pace, plan.trouble)
        self._source = source
        self._limit = pace.limit
        self._card = Card(plan)
        self._lock = threading.Lock()
        self._left = self._closing = False
        self._state = RunState()
        self._score: Score | None = None
        self.sheet_path: Path | None = None
        self.problem: ZenniError | None = None
        try:
            self.folder = self._start(options)
        except BaseException:
            self.place.close()
            raise
        self.offer = DrillOffer(self, options)
        self._follower = Follower(self.folder)
        self._thread = threading.Thread(target=self._conduct, daemon=True, name="drill")
        self._thread.start()

    @property
    def message(self) -> str:
        """Return what somebody tells the operator now, empty for nothing."""
        return self.plan.message if self._card.struck is not None else ""

    @property
    def score(self) -> Score | None:
        """Return the score once the drill is over; raises what broke the drill off."""
        if self.problem is not None:
            raise self.problem
        return self._score

    def key(self) -> None:
        """Note that a key was pressed."""
        with self._lock:
            self._card.key(time.time())

    def given(self, name: str) -> None:
        """Note a command that is not in the run's journal."""
        with self._lock:
            self._card.give(name, time.time(), self._state)

    def act(self, name: str) -> None:
        """Have something done outside of the program; raises ZenniError."""
        self.given(f"act {name}")
        mend = self.plan.mends.get(name)
        if mend is not None and self._card.struck is not None:
            mend(self.place)

    def leave(self) -> None:
        """End the drill where it is."""
        self._left = True

    def close(self) -> None:
        """Take everything away, once: engine, run, servers, files."""
        if self._closing:
            return
        self._closing = True
        self._thread.join()
        self._end_engine()
        (folders.runs_home() / client.request_of(self.folder).run_id).unlink(missing_ok=True)
        self.place.close()

    def _start(self, options: Options) -> Path:
        kind = RunKind.MIGRATE if self.plan.switches else RunKind.REHEARSE
        request = Request(
            folders.new_run_id(kind),
            kind,
            str(self.place.demo.source),
            self.place.target,
            prisma_schema=str(self.place.demo.schema),
            keep=self.plan.keep,
            gated=True,
            chunk_rows=_CHUNK_ROWS,
            retry_minutes=_RETRY_MINUTES,
            demo=str(self.place.folder),
        )
        if self.plan.switches:
            request = msgspec.structs.replace(
                request,
                meanwhile=Meanwhile.FOLLOW,
                application=application(self.place.demo),
                rollback=Rollback(health_down_seconds=HEALTH_SECONDS),
            )
        folder = client.create(request, self.place.folder / "run")
        engage(options, folder, "run")
        return folder

    def _conduct(self) -> None:
        try:
            while not self._closing:
                why = self._turn()
                if why is not None:
                    self._score = self._judge(why)
                    return
                time.sleep(_POLL_SECONDS)
        except ZenniError as error:
            self.problem = error
        except OSError as error:
            self.problem = StepFailed("The drill broke off", where=str(error.filename or ""), why=str(error))

    def _turn(self) -> str | None:
        """Look at the run once; returns why the drill is over, None while it isn't."""
        alive = self._follower.alive
        for entry in self._follower.poll():
            self._hear(entry)
        if self._card.struck is None and self.plan.due(self._state):
            self.plan.strike(self.place, self._state)
            with self._lock:
                self._card.strike(time.time())
        if self._state.step(StepId.COPY).state is StepState.DONE:
            self.place.free_line()
        if self._left:
            return "it was left before its end"
        return self._card.over(self._state, time.time(), self._limit, alive=alive)

    def _hear(self, entry: e.Entry) -> None:
        name = _command(entry.what)
        with self._lock:
            if name:
                self._card.give(name, entry.at, self._state)
            self._state = reduce(self._state, entry)

    def _judge(self, why: str) -> Score:
        now = time.time()
        self._end_engine()
        self._follower.poll()
        score = self._card.score(self._state, why, now, client.whoami(), self.place.look())
        stem = drills_home() / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{score.drill}"
        write_private(stem.with_suffix(".md"), sheet(self.facts, score).encode())
        write_private(stem.with_suffix(".json"), to_json(score))
        self.sheet_path = stem.with_suffix(".md")
        ledger.note(self._source, f"drill {score.drill}", score.by, score.why, ok=score.passed)
        return score

    def _end_engine(self) -> None:
        """End an engine that still works: the drill is over, and what it works on goes."""
        if not self._follower.alive:
            return
        with suppress(ZenniError, OSError):
            self._follower.send("stop")
        deadline = time.monotonic() + _STOP_SECONDS
        while self._follower.alive:
            if time.monotonic() > deadline:
                self._follower.poll()
                self.place.kill(self._follower.state.pid)
            time.sleep(_POLL_SECONDS)


def _command(what: e.AnyEvent) -> str:
    """Return the command that an entry of the journal tells of, empty for none."""
    match what:
        case e.Commanded(command=command):
            return command
        case e.Chosen(repair=repair):
            return "choose" if repair else "take back"
        case e.Paused():
            return "pause"
        case e.Unpaused():
            return "unpause"
        case e.Throttled(by=by) if by:
            return "throttle"
    return ""


def drills_home() -> Path:
    """Return the folder of score sheets and ranges."""
    return folders.private(folders.state_home() / "drills")


def _clear(home: Path) -> None:
    """Clear away what drills left whose screen was killed."""
    sweep(home, lambda folder: folders.is_alive(folder / "run"))
    for link in folders.runs_home().iterdir():
        if link.is_symlink() and not link.exists() and link.readlink().is_relative_to(home):
            link.unlink(missing_ok=True)
