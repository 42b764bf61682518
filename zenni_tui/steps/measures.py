"""The queries of the config: patterns timed on both sides with their plans, metrics compared before and after."""

import statistics
import time
from collections.abc import Iterator

import msgspec

from zenni_tui.compare import results
from zenni_tui.compare.session import pin_session
from zenni_tui.convert import port
from zenni_tui.convert.port_tokens import tokens
from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.measures import MEASURES, Measures, Metric, Pattern, Reading, changes
from zenni_tui.model.plan import Plan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.queries import ProofState, is_slower
from zenni_tui.model.questions import Asked
from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.source import asking, database
from zenni_tui.source.asking import Unanswered
from zenni_tui.target.asking import Asker, Refused

from .query_samples import Sample
from .query_trial import Bench, numbered
from .run import Run

_TIMES = 5
_SECONDS = 20.0
_MOST_ROWS = 1_000
_MOST_CHANGES = 20
_NOTHING = Sample((), ())


def report(run: Run, plan: Plan) -> None:
    """Measure what the config asks on the snapshot and on the target, and keep it; what differs fails nothing.

    Patterns are timed in a rehearsal only: a live target has better things to do.
    """
    asked = run.request.questions
    patterns = asked.queries if run.request.kind is RunKind.REHEARSE else Asked()
    if not patterns.on_source and not asked.metrics.on_source:
        return
    tables = port.catalogue(run.schema(), plan, run.load("profiles.json", Profiles))
    snapshot = database.open_frozen(run.snapshot)
    try:
        with run.to.connect() as connection:
            pin_session(connection)
            bench = Bench(snapshot, connection, plan.schema, tables)
            timed = tuple(pattern(bench, name, patterns, plan.schema) for name in patterns.on_source)
            measured = tuple(metric(bench, name, asked.metrics) for name in asked.metrics.on_source)
    finally:
        snapshot.close()
    measures = Measures(plan.schema, timed, measured)
    run.save(MEASURES, measures)
    _tell(run, measures)


def _tell(run: Run, measures: Measures) -> None:
    run.find(StepId.REPORT, findings(measures), {})
    for one in measures.patterns:
        found = one.why or f"{one.ms_source:.2f} ms in SQLite, {one.ms_target:.2f} ms in PostgreSQL; {one.proof.state}"
        run.check(StepId.REPORT, f"query {one.name}", found, ok=None)
    for each in measures.metrics:
        run.check(StepId.REPORT, f"metric {each.name}", in_words(each), ok=None)


def _form(bench: Bench, name: str, asked: Asked, schema: str = "") -> tuple[str, port.Ported]:
    """Return PostgreSQL's form of a query and what is known of SQLite's; raises Refused when there is none."""
    source = asked.on_source[name].strip().rstrip(";")
    ported = port.port(source, (), bench.tables, schema)
    given = asked.on_target.get(name, "").strip().rstrip(";")
    if given:
        if any(text == ";" for kind, text in tokens(given) if kind == "mark"):
            raise Refused("It is more than one statement.")
        return given, ported
    if ported.stuck:
        raise Refused(" ".join(ported.stuck))
    if not ported.reads:
        raise Refused("It is no query that only reads.")
    return ported.sql, ported


def pattern(bench: Bench, name: str, asked: Asked, schema: str) -> Pattern:
    """Return the times and plans of one query pattern on both sides; `schema` goes before each table's name."""
    source = asked.on_source[name].strip().rstrip(";")
    try:
        target, ported = _form(bench, name, asked, schema)
        proof = bench.tried(source, target, ported, 0)
        if proof.state is ProofState.REFUSED:
            return Pattern(name, source, target, proof.why, proof)
        here = [asking.timed(bench.snapshot, source, seconds=_SECONDS) for _ in range(_TIMES)]
        there = [bench.target.timed(target) for _ in range(_TIMES)]
        plans = asking.plan(bench.snapshot, source), bench.target.explain(target, run=True)
    except (Refused, Unanswered) as error:
        return Pattern(name, source, "", str(error))
    ours, theirs = (round(statistics.median(t), 3) for t in (here, there))
    return Pattern(name, source, target, "", proof, ours, theirs, *plans)


def metric(bench: Bench, name: str, asked: Asked) -> Metric:
    """Return what a metric finds in the snapshot and in the target."""
    source = asked.on_source[name].strip().rstrip(";")
    now = time.time()
    try:
        target, ported = _form(bench, name, asked)
        here, there = bench.here(source, _NOTHING), bench.there(numbered(target), _NOTHING)
        outcome = bench.compared(source, here, there, ported, _NOTHING)
    except (Refused, Unanswered) as error:
        return Metric(name, source, "", str(error))
    if outcome.undecided or max(len(here.rows), len(there.rows)) > _MOST_ROWS:
        return Metric(name, source, target, f"It finds more than {_MOST_ROWS:,} rows.")
    before, after = results.texts(here.rows, there.rows)
    # Where only the forms of dates differ the snapshot's own rows would show changes that are none.
    before = after if outcome.note and not outcome.why else before
    readings = (Reading(now, "snapshot", tuple(before)), Reading(now, "target", tuple(after)))
    key = results.keys(there.rows)
    return Metric(name, source, target, "", outcome.note, there.columns, key, readings)


def findings(measures: Measures) -> Iterator[Finding]:
    """Yield what could not be measured, and what differs between the snapshot and the target."""
    for one in measures.patterns:
        if one.why or one.proof.state is ProofState.DIFFERS:
            yield _unmeasured("queries", one.name, one.why or one.proof.why)
        elif is_slower(one.ms_source, one.ms_target):
            yield slower(one.name, one.ms_source, one.ms_target)
    for each in measures.metrics:
        if each.why:
            yield _unmeasured("metrics", each.name, each.why)
            continue
        found = changes(each, each.readings[0], each.readings[1])
        if found:
            words = "; ".join(c.words for c in found[:_MOST_CHANGES])
            yield Finding(
                "metric_differs",
                Severity.WARNING,
                f'The metric "{each.name}" finds otherwise in the target than in the snapshot: {words}.',
                f"Compare both forms; write PostgreSQL's under [metrics.on_target] if it is not: {each.target}",
                each.name,
                None,
                len(found),
                tuple(c.words for c in found[:_MOST_CHANGES]),
            )


def slower(place: str, here: float, there: float) -> Finding:
    """Return the finding of a query that takes longer in PostgreSQL; times in milliseconds."""
    return Finding(
        "query_slower",
        Severity.WARNING,
        f"{place}: {here:.1f} ms in SQLite, {there:.1f} ms in PostgreSQL.",
        "Look at its plan in the report; often an index is missing, or the condition hides a column in a function.",
        place,
        None,
        1,
    )


def _unmeasured(section: str, name: str, why: str) -> Finding:
    return Finding(
        "question_unanswered",
        Severity.WARNING,
        f'The query "{name}" of [{section}] has no answer on both sides: {why}',
        f'Write its PostgreSQL form under [{section}.on_target] "{name}".',
        name,
        section,
        1,
    )


def in_words(one: Metric) -> str:
    """Return what a metric has found, in a few words."""
    if one.why:
        return one.why
    found = changes(one, one.readings[0], one.readings[-1])
    rows = len(one.readings[-1].rows)
    same = f"{rows:,} rows, the same on both sides" if not found else f"{len(found)} of {rows:,} rows differ"
    return f"{same}. {one.note}".strip()


def read_again(target: Asker, one: Metric) -> Metric:
    """Return a metric with what it finds in the target now; one that is refused says why."""
    if not one.target or not one.readings:
        return one
    try:
        rows, _, _ = target.ask(one.target, most=_MOST_ROWS + 1)
    except Refused as error:
        return msgspec.structs.replace(one, note=str(error))
    _, cells = results.texts((), rows)
    reading = Reading(time.time(), "target", tuple(cells))
    return msgspec.structs.replace(one, readings=(*one.readings, reading))
