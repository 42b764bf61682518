"""The application's queries: found in its code and judged by the plan, then proven on the rehearsal's target."""

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from psycopg import sql

from zenni_tui.application import prisma, prisma_calls, project, queries, scripts
from zenni_tui.application.prisma import PrismaSchema
from zenni_tui.application.sources import SCRIPTS, Sources
from zenni_tui.compare.session import pin_session
from zenni_tui.convert import port
from zenni_tui.convert.port import SCHEMA_CHANGE
from zenni_tui.errors import NotReady
from zenni_tui.files import write_private
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import Plan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.queries import (
    QUERIES,
    Analysis,
    Behaviour,
    Judged,
    Mark,
    Proof,
    ProofState,
    Query,
    QueryState,
    gathered,
    in_words,
    is_slower,
)
from zenni_tui.model.record import from_json, to_json
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import database, working
from zenni_tui.target.asking import Connection
from zenni_tui.target.connect import Target

from .measures import slower
from .query_trial import Bench, numbered
from .run import Run

_FAILED = frozenset({ProofState.REFUSED, ProofState.DIFFERS})
_LEAST, _MOST = 15.0, 60.0
"""Seconds for trying all queries of a project, or half as long as the rehearsal has taken so far."""
_MOST_FINDINGS = 500
_MOST_OF_A_FILE = 300
_WEIGHTY = frozenset({"prisma_case", "prisma_isolation", "prisma_caught", "prisma_json_path"})
"""What gives other results than before, where the rest is about order and ways to write it shorter."""
_ONLY_SQLITE = re.compile(
    r"\b(?:(?:strftime|julianday|unixepoch|ifnull|iif|group_concat|datetime|printf|instr)(?=\s*\()|glob\b|rowid\b)",
    re.IGNORECASE,
)


def analyse(folder: Path, tables: port.Catalogue, schema: PrismaSchema | None) -> Analysis:
    """Read a project's code and judge its queries by the plan, its calls of Prisma by the Prisma schema."""
    sources, calls = Sources(folder), prisma_calls.Calls(schema)
    found: list[Query] = []
    behaviours: list[Behaviour] = []
    for name, text in sources.read():
        if Path(name).suffix in SCRIPTS and not scripts.is_worth(text):
            continue
        if Path(name).suffix in SCRIPTS:
            root = scripts.parse(name, text)
            found += queries.in_script(name, root)
            behaviours += calls.in_script(name, root)
        else:
            found += queries.in_file(name, text)
    passed_over = list(sources.passed_over)
    judged = [one for query in _few(found, passed_over) if (one := judge(query, tables)) is not None]
    kept = [one for one in judged if not _makes_schema(one)]
    if len(kept) < len(judged):
        count = len(judged) - len(kept)
        passed_over.append(
            f"{count} statements make a schema in .sql files, or are run by nobody: the migration does it by the plan"
        )
    return Analysis(str(folder), sources.files, tuple(kept), tuple(behaviours), tuple(passed_over))


def _makes_schema(one: Judged) -> bool:
    told = one.query.call and not one.query.file.endswith(".sql")
    return not told and any(m.name == SCHEMA_CHANGE for m in one.marks)


def _few(found: Iterable[Query], passed_over: list[str]) -> Iterable[Query]:
    """Yield the queries, of each file some hundred at most: more of them are data."""
    counts: Counter[str] = Counter()
    for query in found:
        counts[query.file] += 1
        if counts[query.file] <= _MOST_OF_A_FILE:
            yield query
    passed_over += [
        f"{file}: {n - _MOST_OF_A_FILE} statements after the first {_MOST_OF_A_FILE}"
        for file, n in counts.items()
        if n > _MOST_OF_A_FILE
    ]


def judge(query: Query, tables: port.Catalogue) -> Judged | None:
    """Return what is to be said of one query by its text and the plan; None for one of another database."""
    if query.fragment:
        return _fragment(query)
    ported = port.port(query.sql, query.parameters, tables)
    if ported.foreign and query.call not in queries.RAW:
        return None
    if ported.stuck:
        return Judged(query, QueryState.PERSON, ported.marks, "", " ".join(ported.stuck), ported.notes)
    why = "It is put together at run time." if query.assembled else ""
    if not ported.marks:
        return Judged(query, QueryState.PORTABLE, (), "", why, ported.notes)
    return Judged(query, QueryState.TRANSLATED, ported.marks, proposed(query, ported.sql), why, ported.notes)


def _fragment(query: Query) -> Judged:
    why = "A part of a statement that is put together at run time."
    marks = tuple(
        Mark("function", word, "It is SQLite's own.") for word in dict.fromkeys(_ONLY_SQLITE.findall(query.sql))
    )
    return Judged(query, QueryState.PERSON if marks else QueryState.PORTABLE, marks, "", why)


def proposed(query: Query, sql: str) -> str:
    """Return PostgreSQL's form as it would stand in the code: holes of templates where they were, else $1, $2, ..."""

    def spelled(number: int) -> str:
        text = query.parameters[number - 1]
        return text if text.startswith("${") else f"${number}"

    return port.render(sql, spelled)


def prove(run: Run, plan: Plan) -> Analysis | None:
    """Try every query that can be tried on the snapshot and the target, and keep what was found."""
    if not (run.folder / QUERIES).exists():
        return None
    analysis = run.load(QUERIES, Analysis)
    tables = port.catalogue(run.schema(), plan, run.load("profiles.json", Profiles))
    run.say(f"Trying the application's queries, {len(analysis.queries)} of them, on both sides ...")
    taken = time.time() - run.state().started
    until = time.monotonic() + min(max(taken / 2, _LEAST), _MOST)
    with run.to.connect() as connection, _bench(run.snapshot, connection, plan, tables) as bench:
        analysis = _in_time(bench, analysis, until, run.safe_point)
    run.save(QUERIES, analysis)
    return analysis


@contextmanager
def _bench(file: Path, connection: Connection, plan: Plan, tables: port.Catalogue) -> Iterator[Bench]:
    snapshot = database.open_frozen(file)
    try:
        pin_session(connection)
        yield Bench(snapshot, connection, plan.schema, tables)
    finally:
        snapshot.close()


def _in_time(bench: Bench, analysis: Analysis, until: float, pause: Callable[[], object]) -> Analysis:
    """Return the queries with their proofs; those to be rewritten first; what comes too late is not tried."""
    late = Proof(ProofState.NONE, "Trying the queries before it took too long.")
    judged, proven = analysis.queries, dict(enumerate(analysis.queries))
    for number in sorted(proven, key=lambda n: judged[n].state is not QueryState.TRANSLATED):
        pause()
        one = judged[number]
        in_time = time.monotonic() < until
        proven[number] = proven_one(bench, one, bench.tables) if in_time else msgspec.structs.replace(one, proof=late)
    return msgspec.structs.replace(analysis, queries=tuple(proven.values()))


def read_again(folder: Path, request: Request, target: Target | None) -> Analysis:
    """Read the code anew with what a run has learned, and keep what is found in its folder.

    With a `target` that still holds the tables of the run they are tried there. Raises NotReady when no code is found.
    """
    code = code_of(request)
    if code is None:
        raise NotReady(
            "There is no code to read.",
            where=request.source,
            next_step="Name its folder: [application] directory in the config.",
        )
    plan = from_json((folder / "plan.json").read_bytes(), Plan)
    profiles = from_json((folder / "profiles.json").read_bytes(), Profiles)
    tables = port.catalogue(from_json((folder / "schema.json").read_bytes(), SourceSchema), plan, profiles)
    analysis = analyse(code, tables, _declared(request))
    if target is not None:
        with target.connect() as connection:
            if _is_there(connection, plan):
                with _bench(working.readable(folder), connection, plan, tables) as bench:
                    analysis = _in_time(bench, analysis, time.monotonic() + _MOST, lambda: None)
    write_private(folder / QUERIES, to_json(analysis))
    return analysis


def _is_there(connection: Connection, plan: Plan) -> bool:
    """Return whether every table of a plan stands in the target."""
    names = [sql.Identifier(plan.schema, t.name).as_string(connection) for t in plan.tables]
    row = connection.execute("SELECT bool_and(to_regclass(n) IS NOT NULL) FROM unnest(%s::text[]) AS t(n)", (names,))
    return row.fetchone() == (True,)


def proven_one(bench: Bench, one: Judged, tables: port.Catalogue) -> Judged:
    """Return a query with its proof; one that stands as it is, and is refused, is tried in the form of the plan."""
    query = one.query
    if query.fragment or query.assembled or one.state is QueryState.PERSON:
        return one
    ported = port.port(query.sql, query.parameters, tables)
    count = len(query.parameters)
    form = numbered(query.sql if one.state is QueryState.PORTABLE else ported.sql)
    proof = bench.tried(query.sql, form, ported, count)
    if proof.state not in _FAILED:
        return msgspec.structs.replace(one, proof=proof)
    mark = Mark("as it stands", str(proof.state), proof.why)
    marks = one.marks if one.state is QueryState.TRANSLATED else (mark,)
    for other in _others(one, ported, tables):
        again = bench.tried(query.sql, numbered(other.sql), other, count)
        if again.state not in _FAILED:
            proposal = proposed(query, other.sql)
            return Judged(query, QueryState.TRANSLATED, marks, proposal, "", one.notes, again)
    proposal = one.proposal if proof.state is ProofState.DIFFERS else ""
    return Judged(query, QueryState.PERSON, one.marks, proposal, proof.why, one.notes, proof)


def _others(one: Judged, ported: port.Ported, tables: port.Catalogue) -> Iterable[port.Ported]:
    """Yield the forms to try when the first has failed: the plan's for a query as it stands, then the exact one."""
    if one.state is QueryState.PORTABLE:
        yield ported
    exact = port.port(one.query.sql, one.query.parameters, tables, exact=True)
    if exact.sql != ported.sql:
        yield exact


def findings(analysis: Analysis) -> Iterable[Finding]:
    """Yield what the operator should know of the code; nothing here blocks."""
    seen: Counter[str] = Counter()

    def apart(place: str) -> str:
        """Return a place under a name of its own: a finding is known by it."""
        seen[place] += 1
        return place if seen[place] == 1 else f"{place}#{seen[place]}"

    made = (_finding(one, apart(one.query.place)) for one in analysis.queries)
    yield from itertools.islice((f for f in made if f is not None), _MOST_FINDINGS)
    times = ((q.query.place, q.proof.seconds_source * 1000, q.proof.seconds_target * 1000) for q in analysis.queries)
    yield from itertools.islice((slower(*t) for t in times if is_slower(*t[1:])), _MOST_FINDINGS)
    yield from (_behaviour(b, apart(f"{b.file}:{b.line}")) for b in analysis.behaviours[:_MOST_FINDINGS])


def _finding(one: Judged, place: str) -> Finding | None:
    if one.state is QueryState.PORTABLE:
        return None
    marks = " ".join(gathered(one.marks))
    proof = f" {_told(one.proof)}" if one.proof.state is not ProofState.NONE else ""
    if one.state is QueryState.PERSON:
        advice = f"{one.why} {f'A beginning: {one.proposal}' if one.proposal else 'Write it anew for PostgreSQL.'}"
        said = marks or "PostgreSQL does not answer as SQLite does."
        return Finding("query_needs_person", Severity.WARNING, f"{place}: {said}{proof}", advice, place, None, 1)
    message = f"{place}: {marks}{proof}"
    return Finding("query_sqlite_only", Severity.WARNING, message, f"Write: {one.proposal}", place, None, 1)


def _told(proof: Proof) -> str:
    rows = f", {proof.rows:,} rows" if proof.state is ProofState.EQUAL else ""
    return f"Tried in the rehearsal: {proof.state}{rows}.{f' {proof.why}' if proof.why else ''}"


def _behaviour(one: Behaviour, place: str) -> Finding:
    severity = Severity.WARNING if one.code in _WEIGHTY else Severity.INFO
    return Finding(one.code, severity, f"{place}: {one.text}", one.advice, place, None, 1)


def audit(run: Run, profiles: Profiles, choices: Choices, quarantine: dict[str, tuple[int, ...]]) -> None:
    """Judge the project's queries before anything is written, and tell of those that must change."""
    (run.folder / QUERIES).unlink(missing_ok=True)
    folder = code_of(run.request)
    if folder is None:
        return
    plan, _ = run.draft(profiles, choices, quarantine)
    analysis = analyse(folder, port.catalogue(run.schema(), plan, profiles), _declared(run.request))
    run.save(QUERIES, analysis)
    run.find(StepId.AUDIT, findings(analysis), {})
    run.check(StepId.AUDIT, "queries", f"{analysis.folder}: {in_words(analysis)}", ok=None)


def _declared(request: Request) -> PrismaSchema | None:
    return prisma.read_schema(Path(request.prisma_schema)) if request.prisma_schema is not None else None


def code_of(request: Request) -> Path | None:
    """Return the folder of the application's code: the one that is named, or that of the project around the source."""
    if request.questions.code:
        return Path(request.questions.code)
    found = project.find(Path(request.source))
    return found.folder if found is not None else None


def report(run: Run, plan: Plan) -> None:
    """Prove the project's queries on the rehearsal's target; what differs is told, and fails nothing."""
    analysis = prove(run, plan)
    if analysis is not None:
        run.find(StepId.REPORT, findings(analysis), {})
        run.check(StepId.REPORT, "queries", in_words(analysis), ok=None)
