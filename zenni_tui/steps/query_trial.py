"""Tries the application's queries on the snapshot and on the target, and compares what they find."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from zenni_tui.compare import results
from zenni_tui.convert import port
from zenni_tui.convert.port_scope import Field
from zenni_tui.model.plan import Kind
from zenni_tui.model.queries import Proof, ProofState, is_slower
from zenni_tui.source import asking
from zenni_tui.source.asking import Answer, Unanswered
from zenni_tui.source.database import quoted
from zenni_tui.target.asking import Asker, Connection, Refused

from .query_samples import Sample, samples

_MOST_ROWS = 10_000
_SECONDS = 20.0
_LONG = 1.0
"""Seconds after which one query is tried with no further values."""
_ENOUGH = 3
"""Trials that find something, after which a query counts as proven."""


class Bench:
    """Both databases, for reading only; `schema` is the target's, `tables` what is carried."""

    def __init__(self, snapshot: sqlite3.Connection, target: Connection, schema: str, tables: port.Catalogue) -> None:
        self.snapshot = snapshot
        self.target = Asker(target, schema, _SECONDS)
        self.tables = tables

    def tried(self, source: str, target: str, ported: port.Ported, count: int) -> Proof:
        """Try one query, SQLite's form and PostgreSQL's, with values from the data for its `count` parameters."""
        if ported.random or not ported.planned:
            return Proof(
                ProofState.NONE, "Its result is random." if ported.random else "PostgreSQL makes no plan for it."
            )
        try:
            return self._reading(source, target, ported, count) if ported.reads else self._write(target, ported, count)
        except (Refused, Unanswered, sqlite3.Error, UnicodeError) as error:
            return Proof(ProofState.REFUSED, str(error))

    def here(self, text: str, sample: Sample) -> Answer:
        """Return what a query finds in the snapshot; raises Unanswered."""
        named = {f"p{n}": v for n, v in enumerate(sample.source, 1)}
        return asking.ask(self.snapshot, text, named, most=_MOST_ROWS + 1, seconds=_SECONDS)

    def there(self, text: str, sample: Sample) -> Answer:
        """Return what a query finds in the target; raises Refused."""
        return Answer(*self.target.ask(text, sample.target, most=_MOST_ROWS + 1))

    def compared(
        self, source: str, here: Answer, there: Answer, ported: port.Ported, sample: Sample
    ) -> results.Comparison:
        """Compare what both sides have found; raises Refused and Unanswered."""
        if _is_cut(here) or _is_cut(there):
            return _beginnings(here, there, ported)
        outcome = results.compare(here.rows, there.rows, ported.order, ported.lists)
        if outcome.why:
            outcome = self._evened(source, there, ported, sample) or outcome
        if outcome.why and ported.whole is not None:
            outcome = self._whole(ported.whole, ported, sample) or outcome
        return outcome

    def _write(self, target: str, ported: port.Ported, count: int) -> Proof:
        sample = next(samples(self.snapshot, ported.uses or {}, count), Sample((), (None,) * count))
        self.target.explain(target, sample.target)
        return Proof(ProofState.EXPLAINED, "A write is planned by PostgreSQL, and not run.")

    def _reading(self, source: str, target: str, ported: port.Ported, count: int) -> Proof:
        best, found, tries = Proof(ProofState.NONE, "No values are known for its parameters."), 0, 0
        began = time.monotonic()
        for sample in samples(self.snapshot, ported.uses or {}, count):
            proof = self._read(source, target, ported, sample)
            if proof.state is ProofState.DIFFERS:
                return proof
            tries += 1
            found += proof.state is ProofState.EQUAL
            best = max(best, proof, key=lambda p: (p.state is ProofState.EQUAL, p.state is not ProofState.NONE, p.rows))
            if found == _ENOUGH or not count or time.monotonic() - began > _LONG:
                break
        if not tries:
            self.target.explain(target, (None,) * count)
        return best

    def _read(self, source: str, target: str, ported: port.Ported, sample: Sample) -> Proof:
        here, there = self.here(source, sample), self.there(target, sample)
        outcome = self.compared(source, here, there, ported, sample)
        seconds = (round(here.seconds, 4), round(there.seconds, 4))
        if outcome.undecided or outcome.why:
            state = ProofState.UNDECIDED if outcome.undecided else ProofState.DIFFERS
            return Proof(state, outcome.note or outcome.why, len(there.rows), *seconds)
        state = ProofState.EMPTY if blank(there) else ProofState.EQUAL
        if is_slower(here.seconds * 1000, there.seconds * 1000):
            seconds = self._again(source, target, sample)
        return Proof(state, outcome.note, len(there.rows), *seconds)

    def _again(self, source: str, target: str, sample: Sample) -> tuple[float, float]:
        """Return the shortest of several times: the first is that of cold caches."""
        here = min(self.here(source, sample).seconds for _ in range(_ENOUGH))
        there = min(self.there(target, sample).seconds for _ in range(_ENOUGH))
        return round(here, 4), round(there, 4)

    def _whole(self, whole: tuple[str, str], ported: port.Ported, sample: Sample) -> results.Comparison | None:
        """Compare without LIMIT: where its order does not decide which rows it takes, each side may take others."""
        here, there = self.here(whole[0], sample), self.there(numbered(whole[1]), sample)
        if _is_cut(here) or _is_cut(there):
            return _undecided(here, there, "Its order does not decide which rows its LIMIT takes, of very many.")
        found = results.compare(here.rows, there.rows, None, ported.lists)
        if found.why:
            return None
        note = "The same without its LIMIT; its order does not decide which rows that takes."
        return results.Comparison(found.rows_source, found.rows_target, "", note)

    def _evened(self, source: str, there: Answer, ported: port.Ported, sample: Sample) -> results.Comparison | None:
        """Compare with a view of the snapshot in which all dates of a column have one form."""
        uneven = self._uneven(ported.tables)
        if not uneven:
            return None
        with self._even_dates(ported.tables):
            try:
                found = results.compare(self.here(source, sample).rows, there.rows, ported.order, ported.lists)
            except Unanswered:
                return None
        if found.why:
            return None
        names = ", ".join(uneven)
        note = f"Equal once all dates of {names} have one form; SQLite today finds otherwise, since they have several."
        return results.Comparison(found.rows_source, found.rows_target, "", note)

    def _uneven(self, names: tuple[str, ...]) -> list[str]:
        """Return the columns of dates that are stored in several forms, of some tables."""
        tables = [t for t in self.tables.values() if t.plan.source in names]
        return [f'"{f.table.source}"."{f.plan.source}"' for t in tables for f in t.fields.values() if _is_uneven(f)]

    @contextmanager
    def _even_dates(self, names: tuple[str, ...]) -> Iterator[None]:
        views = [t for t in self.tables.values() if t.plan.source in names]
        for table in views:
            columns = ", ".join(_evened_column(f) for f in table.fields.values())
            name = quoted(table.plan.source)
            self.snapshot.execute(f"CREATE TEMP VIEW {name} AS SELECT {columns} FROM main.{name}")  # noqa: S608 - quoted names
        try:
            yield
        finally:
            for table in views:
                self.snapshot.execute(f"DROP VIEW temp.{quoted(table.plan.source)}")


def _is_cut(answer: Answer) -> bool:
    """Return whether there are more rows than were read."""
    return len(answer.rows) > _MOST_ROWS


def _beginnings(here: Answer, there: Answer, ported: port.Ported) -> results.Comparison:
    """Compare the first rows of two long results, which says something only where their order decides them."""
    ours, theirs = here.rows[:_MOST_ROWS], there.rows[:_MOST_ROWS]
    if _is_cut(here) and _is_cut(there) and ported.order is not None:
        found = results.compare(ours, theirs, ported.order, ported.lists)
        if not found.why:
            return msgspec.structs.replace(found, note=f"Compared were the first {_MOST_ROWS:,} rows of more.")
    return _undecided(here, there, f"It finds more than {_MOST_ROWS:,} rows, which are not compared.")


def _undecided(here: Answer, there: Answer, why: str) -> results.Comparison:
    return results.Comparison(len(here.rows), len(there.rows), "", why, undecided=True)


def blank(answer: Answer) -> bool:
    """Return whether a result says nothing: no rows, or one of zeros and NULLs."""
    return not answer.rows or (len(answer.rows) == 1 and not any(answer.rows[0]))


def numbered(text: str) -> str:
    """Return a query with its parameters as $1, $2, ..."""
    return port.render(text, lambda n: f"${n}")


def _is_uneven(field: Field) -> bool:
    """Return whether a column of dates holds numbers and texts."""
    return field.held.doubt is not None and field.plan.type.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


def _evened_column(field: Field) -> str:
    name = quoted(field.plan.source or "")
    if not _is_uneven(field):
        return name
    # By SQLite's own reading of texts, which for a whole table is ten times as fast as ours.
    millis = f"CAST(round((julianday({name}) - 2440587.5) * 86400000) AS INTEGER)"
    return f"CASE typeof({name}) WHEN 'text' THEN coalesce({millis}, {name}) ELSE {name} END AS {name}"
