"""Settings: option before environment before `config.toml` before default, frozen once read."""

import difflib
import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from .errors import UsageError
from .model.application import Application, Rollback
from .model.backup import Backup
from .model.choices import Choices
from .model.plan import parse_type
from .model.questions import Named, Questions, asked
from .model.record import Record
from .model.request import Bounds
from .model.roadmap import PHASES, TASKS
from .model.tasks import Timeline
from .model.vitals import Limits, Notify

WAYS = "ZENNI_TARGET_URL, PGPASSWORD, PGPASSFILE (~/.pgpass), pg_service.conf, or [target] url in a 0600 config.toml"
_PORTS = 65_536
_LONGEST_WAIT = 7 * 24 * 60


class SourceSection(Record, frozen=True):
    """`[source]`: the SQLite file, its Prisma schema ("auto", "none" or a path), tables to leave out.

    `second_copy` is a folder for another copy of each run's snapshot, or empty.
    """

    path: str = ""
    prisma_schema: str = "auto"
    exclude: tuple[str, ...] = ()
    second_copy: str = ""


class SchemaSection(Record, frozen=True):
    """`[schema]`: types and names in the target, and the repair chosen for each finding."""

    casts: dict[str, str] = msgspec.field(default_factory=dict)
    renames: dict[str, str] = msgspec.field(default_factory=dict)
    repairs: dict[str, str] = msgspec.field(default_factory=dict)


class TargetSection(Record, frozen=True):
    """`[target]`: connection URL, the schema to load into, and the role the application logs in as, if not ours."""

    url: str = ""
    schema: str = "public"
    application_role: str = ""


class StagingSection(Record, frozen=True):
    """`[staging]`: where rehearsals go, and within how many hours a migration must have been rehearsed (0: never)."""

    url: str = ""
    rehearsal_hours: float = 168.0


class VerifySection(Record, frozen=True):
    """`[verify]`: queries of the customer's own, and their PostgreSQL forms where they can't be translated."""

    assertions: dict[str, str] = msgspec.field(default_factory=dict)
    on_target: dict[str, str] = msgspec.field(default_factory=dict)


class CopySection(Record, frozen=True):
    """`[copy]`: worker processes, the rows of one COPY, minutes for which a target that is away is tried again.

    `lag_mb`, `size_mb` and `free_mb` are as in `Bounds`.
    """

    workers: int = 2
    chunk_rows: int = 25_000
    retry_minutes: float = 10.0
    lag_mb: float = 1024.0
    size_mb: float = 0.0
    free_mb: float = 1024.0


class TimelineSection(Record, frozen=True):
    """`[timeline]`: the plan's first day, who owns a phase or task, and the days of phases where they are changed."""

    start: date | None = None
    owners: dict[str, str] = msgspec.field(default_factory=dict)
    days: dict[str, int] = msgspec.field(default_factory=dict)


class Config(Record, frozen=True):
    """The whole file."""

    source: SourceSection = SourceSection()
    target: TargetSection = TargetSection()
    staging: StagingSection = StagingSection()
    schema: SchemaSection = SchemaSection()
    copy: CopySection = CopySection()
    verify: VerifySection = VerifySection()
    timeline: TimelineSection = TimelineSection()
    watch: Limits = Limits()
    notify: Notify = Notify()
    application: Application = Application()
    rollback: Rollback = Rollback()
    backup: Backup = Backup()
    queries: Named = msgspec.field(default_factory=dict)
    metrics: Named = msgspec.field(default_factory=dict)


class Settings(Record, frozen=True):
    """What a command works with; `target` is None when none is named, `password` is never stored by us."""

    source: str
    prisma_schema: str
    choices: Choices
    target: dict[str, str] | None
    password: str | None
    schema: str
    workers: int
    chunk_rows: int
    verify: VerifySection = VerifySection()
    retry_minutes: float = 10.0
    application_role: str = ""
    second_copy: str = ""
    staging: dict[str, str] | None = None
    staging_password: str | None = None
    rehearsal_hours: float = 0.0
    timeline: Timeline = Timeline()
    watch: Limits = Limits()
    notify: Notify = Notify()
    application: Application = Application()
    rollback: Rollback = Rollback()
    backup: Backup = Backup()
    questions: Questions = Questions()
    bounds: Bounds = Bounds()


def load(path: Path) -> Config:
    """Read a config file; unknown keys, wrong types and a password in a file others can read are refused."""
    try:
        data = tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageError("The config file can't be read.", where=str(path), why=error.strerror or "") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("The config file is not TOML.", where=str(path), why=str(error)) from error
    _known(path, "", data, Config)
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise UsageError("A value of the config file is of the wrong kind.", where=str(path), why=str(error)) from error
    _check(path, config)
    return config


def _known(path: Path, prefix: str, data: Mapping[str, Any], section: type[msgspec.Struct]) -> None:
    fields = {f.name: f.type for f in msgspec.structs.fields(section)}
    for key, value in data.items():
        if key not in fields:
            raise UsageError(
                f"Unknown key {prefix}{key} in the config file.",
                where=str(path),
                why="A mistyped key would be a setting that silently does nothing.",
                next_step=_nearest(key, fields, prefix),
            )
        kind = fields[key]
        if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            _known(path, f"{prefix}{key}.", value, kind)


def _nearest(key: str, known: Iterable[str], prefix: str) -> str:
    known = list(known)
    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {prefix}{near[0]}?" if near else f"Known here: {', '.join(known)}."


def _check(path: Path, config: Config) -> None:
    for name, value, most in (("workers", config.copy.workers, 16), ("chunk_rows", config.copy.chunk_rows, 10_000_000)):
        if not 1 <= value <= most:
            raise UsageError(f"copy.{name} must be between 1 and {most}.", where=str(path), why=f"It is {value}.")
    if not 0 <= config.copy.retry_minutes <= _LONGEST_WAIT:
        raise UsageError(
            f"copy.retry_minutes must be between 0 and {_LONGEST_WAIT}.",
            where=str(path),
            why=f"It is {config.copy.retry_minutes:g}.",
        )
    for name in Bounds.__struct_fields__:
        bound = getattr(config.copy, name)
        if not 0 <= bound < float("inf"):
            raise UsageError(f"copy.{name} must be 0 or more.", where=str(path), why=f"It is {bound:g}.")
    for mistake in (*config.application.mistakes(), *config.watch.mistakes(), *config.notify.mistakes()):
        raise UsageError(mistake, where=str(path))
    secret = any(u and "password" in parameters(u) for u in (config.target.url, config.staging.url))
    if (secret or config.notify.webhook) and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UsageError(
            "The config file holds a password, or a webhook's URL, and others can read it.",
            where=str(path),
            next_step=f"chmod 600 {path}",
        )


def _choices(config: Config) -> Choices:
    s = config.schema
    for column, kind in s.casts.items():
        try:
            parse_type(kind)
        except ValueError as error:
            raise UsageError(f'[schema.casts] "{column}" names no type.', why=str(error)) from None
    return Choices(s.repairs, s.casts, s.renames, config.source.exclude)


def _timeline(section: TimelineSection) -> Timeline:
    phases, tasks = {p.id for p in PHASES}, {t.id for t in TASKS}
    for kind, names, known in (("days", section.days, phases), ("owners", section.owners, phases | tasks)):
        unknown = next((name for name in names if name not in known), None)
        if unknown:
            raise UsageError(
                f"[timeline.{kind}] names no {'phase' if kind == 'days' else 'phase or task'}: {unknown}.",
                next_step="zenni-tui tasks lists them.",
            )
    return Timeline(section.start, section.owners, section.days)


def parameters(url: str) -> dict[str, str]:
    """Return a connection URL or string as libpq parameters; raises UsageError."""
    from .target import libpq  # noqa: PLC0415 - half of the start-up time, for the verbs that need it

    found = libpq.parse(url)
    ports = found.get("port", "").split(",")
    if not all(p == "" or (p.isascii() and p.isdigit() and 0 < int(p) < _PORTS) for p in ports):
        raise libpq.unusable(f"The port is {found['port']}.")
    return found


def _resolved(url: str, place: str) -> dict[str, str]:
    from .target import libpq  # noqa: PLC0415 - as above

    try:
        return libpq.resolve(parameters(url))
    except UsageError as error:
        raise UsageError(error.what, where=error.where or place, why=error.why, next_step=error.next_step) from None


def _hours(said: str | None, configured: float) -> float:
    try:
        hours = float(said) if said else configured
    except ValueError:
        hours = -1.0
    if not 0 <= hours < float("inf"):
        raise UsageError(
            "The hours within which a migration must have been rehearsed are no such number.",
            where="ZENNI_REHEARSAL_HOURS" if said else "[staging] rehearsal_hours",
            why=f"It is {said or configured}.",
            next_step="Give 168 for a week, or 0 to not ask for a rehearsal.",
        )
    return hours


def settle(
    *, config: Config, source: str | None, target: str | None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """Return what holds after options, environment and config; a password in `--target` is refused."""
    if target and "password" in parameters(target):
        raise UsageError(
            "A password on the command line can be read by everyone on this machine.",
            where="--target",
            next_step=f"Give it by one of: {WAYS}.",
        )
    url = target or environment.get("ZENNI_TARGET_URL") or config.target.url
    place = "--target" if target else "ZENNI_TARGET_URL" if environment.get("ZENNI_TARGET_URL") else "[target] url"
    named = _resolved(url, place) if url else None
    password = (named or {}).pop("password", None) or environment.get("PGPASSWORD")
    rehearsed_at = environment.get("ZENNI_STAGING_URL") or config.staging.url
    place = "ZENNI_STAGING_URL" if environment.get("ZENNI_STAGING_URL") else "[staging] url"
    staging = _resolved(rehearsed_at, place) if rehearsed_at else None
    staging_password = (staging or {}).pop("password", None) or environment.get("PGPASSWORD")
    return Settings(
        source or environment.get("ZENNI_SOURCE") or config.source.path,
        config.source.prisma_schema,
        _choices(config),
        named,
        password,
        environment.get("ZENNI_SCHEMA") or config.target.schema,
        config.copy.workers,
        config.copy.chunk_rows,
        config.verify,
        config.copy.retry_minutes,
        config.target.application_role,
        str(Path(config.source.second_copy).absolute()) if config.source.second_copy else "",
        staging,
        staging_password,
        _hours(environment.get("ZENNI_REHEARSAL_HOURS"), config.staging.rehearsal_hours),
        _timeline(config.timeline),
        config.watch,
        msgspec.structs.replace(config.notify, webhook=environment.get("ZENNI_WEBHOOK") or config.notify.webhook),
        _placed(config.application),
        config.rollback,
        config.backup,
        _questions(config),
        Bounds(config.copy.lag_mb, config.copy.size_mb, config.copy.free_mb),
    )


def _questions(config: Config) -> Questions:
    found = {}
    for section, named in (("queries", config.queries), ("metrics", config.metrics)):
        try:
            found[section] = asked(named)
        except ValueError as error:
            raise UsageError(f"[{section}] can't be meant so.", why=f"{error}.") from None
    directory = config.application.directory
    return Questions(str(Path(directory).absolute()) if directory else "", found["queries"], found["metrics"])


def _placed(application: Application) -> Application:
    """Return the application with its folder and files absolute: the engine works elsewhere."""
    folder = Path(application.directory).absolute()
    files = tuple(str(folder / name) for name in application.env_files)
    return msgspec.structs.replace(application, directory=str(folder), env_files=files)
