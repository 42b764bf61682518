"""What is typed at the prompt of an exercise: SQL, or one of PostgreSQL's own programs; bounded in rows and time."""

import os
import shlex
import subprocess
from collections.abc import Iterator

import psycopg
from psycopg import pq

from zenni_tui.model.lessons import Answer
from zenni_tui.sandbox.binaries import program

from .ground import Ground

MOST_ROWS = 100
SECONDS = 15
PROGRAMS = ("pg_restore", "pg_dump", "psql")
_MOST_TEXT = 200
_GONE = "The session is gone"
_COPY = (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT)


class Prompt:
    """One session of the learner; a transaction or a setting lasts from line to line, as in psql."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._session = self._connect()
        self._said: list[str] = []

    def run(self, line: str) -> Answer:
        """Run what was typed; what goes wrong is the answer's problem."""
        if line.split(maxsplit=1)[:1] and line.split(maxsplit=1)[0] in PROGRAMS:
            return self._program(line)
        self._said.clear()
        try:
            if self._session.closed:
                self._session = self._connect()
            return self._sql(line)
        except psycopg.Error as error:
            return Answer(problem=f"{_GONE}: {' '.join(str(error).split())}. The next line opens a new one.")

    def _connect(self) -> psycopg.Connection[object]:
        session = self._ground.session("prompt")
        session.execute("SELECT set_config('statement_timeout', %s, false)", (f"{SECONDS}s",))
        session.add_notice_handler(lambda notice: self._said.append(f"{notice.severity}: {notice.message_primary}"))
        return session

    def _sql(self, line: str) -> Answer:
        """Run statements row by row, so that no result, however large, is held."""
        pg = self._session.pgconn
        pg.send_query(line.encode())
        pg.set_single_row_mode()
        columns: tuple[str, ...] = ()
        rows: list[tuple[str | None, ...]] = []
        more, problem = False, ""
        for result in _results(pg):
            if result.status in _COPY:
                self._session.close()
                return Answer(problem="COPY moves data through the client: use psql, with the line above.")
            if result.status == pq.ExecStatus.FATAL_ERROR:
                problem = _words(result)
            elif result.status == pq.ExecStatus.COMMAND_OK:
                self._said.append(_text(result.command_status))
            elif result.status == pq.ExecStatus.TUPLES_OK:
                columns = _columns(result)
            elif len(rows) < MOST_ROWS:
                columns = _columns(result)
                rows.append(tuple(_cell(result, i) for i in range(result.nfields)))
            elif not more:
                more = True
                pg.get_cancel().cancel()
        return Answer(columns, tuple(rows), tuple(self._said), "" if more else problem, more)

    def _program(self, line: str) -> Answer:
        """Run one of PostgreSQL's programs against the exercise's database, without a shell."""
        try:
            name, *arguments = shlex.split(line)
        except ValueError as error:
            return Answer(problem=f"{error}.")
        ground = self._ground
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        facts = {names[key]: value for key, value in ground.place.items()}
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGPASSFILE": str(ground.passfile), **facts}
        try:
            done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's, named above; the operator's own words
                [program(name, None), *arguments],
                env=environment,
                cwd=ground.passfile.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer(problem=f"{name} was ended after {SECONDS} s.")
        said = tuple(done.stdout.decode(errors="replace").splitlines()[:MOST_ROWS])
        wrong = done.stderr.decode(errors="replace").strip()
        if done.returncode:
            return Answer(said=said, problem=wrong or f"{name} ended with {done.returncode}.")
        return Answer(said=(*said, *wrong.splitlines(), f"{name}: done"))


def _results(pg: pq.abc.PGconn) -> Iterator[pq.abc.PGresult]:
    while (result := pg.get_result()) is not None:
        yield result


def _columns(result: pq.abc.PGresult) -> tuple[str, ...]:
    return tuple(_text(result.fname(i)) for i in range(result.nfields))


def _cell(result: pq.abc.PGresult, column: int) -> str | None:
    value = result.get_value(0, column)
    return None if value is None else _text(value)[:_MOST_TEXT]


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


def _words(result: pq.abc.PGresult) -> str:
    """Return the server's error in its own words, with the SQLSTATE by which it is looked up."""
    field = pq.DiagnosticField
    state = _text(result.error_field(field.SQLSTATE))
    if not state:
        return f"{_GONE}: {' '.join(_text(result.error_message).split())}. The next line opens a new one."
    parts = [_text(result.error_field(f)) for f in (field.MESSAGE_PRIMARY, field.MESSAGE_DETAIL, field.MESSAGE_HINT)]
    return f"{state}: {'. '.join(filter(None, parts))}"
