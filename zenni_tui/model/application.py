"""The application as the config tells of it: its settings, commands and two sides, and when to think of going back."""

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from .record import Record
from .runbook import Meanwhile

HOOK_SECONDS = 300.0
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_NAMED = re.compile(r"\$\{[A-Za-z_]\w*\}")


class Which(StrEnum):
    """The two sides: on SQLite, and on PostgreSQL."""

    OLD = "old"
    NEW = "new"


class Health(Record, frozen=True):
    """Where to ask and what is expected: the status, and fields of a JSON answer; times in seconds.

    Without a URL there is nothing to ask.
    """

    url: str = ""
    status: int = 200
    fields: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    timeout: float = 2.0
    within: float = 60.0


class Hooks(Record, frozen=True):
    """Commands as lists of arguments; an empty one is not there."""

    announce: tuple[str, ...] = ()
    read_only_on: tuple[str, ...] = ()
    read_only_off: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    deploy: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    application_tests: tuple[str, ...] = ()
    smoke_tests: tuple[str, ...] = ()
    error_rate: tuple[str, ...] = ()


class Side(Record, frozen=True):
    """One side: what its settings files say, what its health answers, and commands of its own."""

    settings: dict[str, str] = msgspec.field(default_factory=dict)
    health_fields: dict[str, str | int | float | bool] = msgspec.field(default_factory=dict)
    build: tuple[str, ...] = ()
    deploy: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()


class Application(Record, frozen=True):
    """`[application]`: without a word in it there is nothing to switch over.

    `meanwhile` is what becomes of its writes between the snapshot and the switch. `directory` is where hooks run and
    where relative `env_files` lie; `hook_seconds` bounds hooks by their names.
    With `baseline` a run enters the migration that `updates` proposes in Prisma's history, as applied.
    """

    directory: str = ""
    env_files: tuple[str, ...] = ()
    health: Health = Health()
    hooks: Hooks = Hooks()
    hook_seconds: dict[str, float] = msgspec.field(default_factory=dict)
    old: Side = Side()
    new: Side = Side()
    meanwhile: Meanwhile = Meanwhile.NOTHING
    baseline: bool = False

    def side(self, which: Which) -> Side:
        """Return one side."""
        return self.new if which is Which.NEW else self.old

    def command(self, name: str, which: Which) -> tuple[str, ...]:
        """Return a hook's command, the side's own before the common one, empty when there is none."""
        return getattr(self.side(which), name, ()) or getattr(self.hooks, name)

    def health_of(self, which: Which) -> Health:
        """Return what the health of a side is."""
        fields = {**self.health.fields, **self.side(which).health_fields}
        return msgspec.structs.replace(self.health, fields=fields)

    @property
    def can_switch(self) -> bool:
        """Return whether anything is known that makes the application use another database."""
        starts = any(self.command(name, Which.NEW) for name in ("deploy", "restart"))
        return starts or bool(self.env_files and self.new.settings)

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong, a sentence each."""
        unknown = sorted(set(self.hook_seconds) - set(Hooks.__struct_fields__))
        if unknown:
            yield f"application.hook_seconds names {unknown[0]}, which is no hook."
        for which in Which:
            for name, value in self.side(which).settings.items():
                if _PASSWORD.search(_NAMED.sub("", value)):
                    yield f"application.{which}.settings.{name} holds a password: write ${{TARGET_URL}} in its place."
            if self.side(which).settings and not self.env_files:
                yield f"application.{which}.settings are given, but no env_files to write them to."


class Rollback(Record, frozen=True):
    """`[rollback]`: what tells that it may be time to go back; 0 means not watched. It is told, and a person decides.

    `error_rate` is the most that the hook of that name may print; `who_may_decide` are names, empty for everybody.
    """

    health_down_seconds: float = 30.0
    error_rate: float = 0.0
    downtime_budget_seconds: float = 0.0
    verification_failed: bool = True
    who_may_decide: tuple[str, ...] = ()
    window_hours: float = 72.0
