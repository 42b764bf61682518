"""The application's queries: what was found in its code, what in them is SQLite's alone, and what was proven."""

from collections.abc import Iterable
from enum import StrEnum

from .record import Record

QUERIES = "queries.json"
"""Where a run keeps what was found."""


class Query(Record, frozen=True):
    """One SQL text of the application's code.

    `file` is relative to the project's folder, `line` counts from 1, `call` names what runs the text (`$queryRaw`,
    `prepare`, ...), empty for a string that only looks like SQL. In `sql` parameters stand as :p1, :p2, ...;
    `parameters` are their spellings in the code. An `assembled` text is put together at run time: what was put in
    stands as a parameter. A `fragment` is a part of a statement.
    """

    file: str
    line: int
    call: str
    sql: str
    parameters: tuple[str, ...] = ()
    assembled: bool = False
    fragment: bool = False

    @property
    def place(self) -> str:
        """Return file and line, as editors take them."""
        return f"{self.file}:{self.line}"


class Mark(Record, frozen=True):
    """One thing in a query that PostgreSQL reads otherwise: a short name, the text of it, and why it matters."""

    name: str
    text: str
    why: str


class QueryState(StrEnum):
    """What is known of a query."""

    PORTABLE = "portable"
    """It means the same in PostgreSQL as it stands."""
    TRANSLATED = "translated"
    """A PostgreSQL form is proposed; the proof says how far it is proven."""
    PERSON = "needs a person"
    """No form can be proposed, or the results differ."""


class ProofState(StrEnum):
    """How far the PostgreSQL form was tried."""

    EQUAL = "equal results"
    EMPTY = "empty on both sides"
    EXPLAINED = "accepted, not run"
    """PostgreSQL plans it; a write is not run."""
    UNDECIDED = "run, not comparable"
    """Both sides answer; too many rows, or an order that does not decide which."""
    DIFFERS = "results differ"
    REFUSED = "refused"
    NONE = "not tried"


class Proof(Record, frozen=True):
    """What a trial on the snapshot and on the target found; times in seconds, `rows` of the compared result."""

    state: ProofState
    why: str = ""
    rows: int = 0
    seconds_source: float = 0.0
    seconds_target: float = 0.0


_SLOW_MS = 50.0
_SLOWER = 3.0


def is_slower(source: float, target: float) -> bool:
    """Return whether a query takes so much longer in PostgreSQL that somebody should look; in milliseconds."""
    return target > _SLOW_MS and target > _SLOWER * source


class Judged(Record, frozen=True):
    """A query with its marks, the PostgreSQL form where one is proposed, why there is none, and the proof."""

    query: Query
    state: QueryState
    marks: tuple[Mark, ...] = ()
    proposal: str = ""
    why: str = ""
    notes: tuple[Mark, ...] = ()
    proof: Proof = Proof(ProofState.NONE)

    @property
    def words(self) -> str:
        """Return the state and how far it is proven, in a few words."""
        if self.proof.state is ProofState.NONE:
            return f"{self.state}, not proven"
        proven = self.proof.state is ProofState.EQUAL
        rows = f" ({self.proof.rows:,} rows)" if proven else ""
        return f"{self.state}, {'proven: ' if proven else 'not proven: '}{self.proof.state}{rows}"


class Behaviour(Record, frozen=True):
    """A call of Prisma's client whose result changes with the database: the code of its finding, and where it is."""

    code: str
    file: str
    line: int
    text: str
    advice: str


class Analysis(Record, frozen=True):
    """All that was found in a project's code; `passed_over` says what was not read, and why."""

    folder: str
    files: int
    queries: tuple[Judged, ...] = ()
    behaviours: tuple[Behaviour, ...] = ()
    passed_over: tuple[str, ...] = ()


def gathered(marks: Iterable[Mark]) -> list[str]:
    """Return marks in words, those of one name and reason together."""
    texts: dict[tuple[str, str], list[str]] = {}
    for mark in marks:
        found = texts.setdefault((mark.name, mark.why), [])
        found += [mark.text] if mark.text not in (mark.name, *found) else []
    return [f"{name}{' in ' * bool(of)}{', '.join(of)}: {why}" for (name, why), of in texts.items()]


def in_words(analysis: Analysis) -> str:
    """Return how many queries are in which state."""
    told = []
    for state in QueryState:
        of = [q for q in analysis.queries if q.state is state]
        proven = sum(q.proof.state is ProofState.EQUAL for q in of)
        if of:
            told.append(f"{len(of)} {state}" + (f" ({proven} proven)" if state is not QueryState.PERSON else ""))
    return f"{len(analysis.queries)} queries in {analysis.files:,} files: " + (", ".join(told) or "none")


def in_lines(analysis: Analysis) -> str:
    """Return everything as lines for people."""
    lines = [f"{analysis.folder}: {in_words(analysis)}"]
    for one in analysis.queries:
        lines.append(f"{one.query.place}: {one.words}")
        lines += [f"    {text}" for text in gathered(one.marks)]
        lines += [f"    write: {one.proposal}"] if one.proposal else []
        lines += [f"    {text}" for text in dict.fromkeys((one.why, one.proof.why)) if text]
        lines += [f"    note: {text}" for text in gathered(one.notes)]
    lines += [f"{b.file}:{b.line}: {b.text} {b.advice}" for b in analysis.behaviours]
    lines += [f"not read: {text}" for text in analysis.passed_over]
    return "\n".join(lines)
