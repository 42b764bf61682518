"""The SQL in the application's code: found, judged by the plan, and proven in a rehearsal."""

from pathlib import Path

import psycopg
import pytest
from support import Outcome, Program

from zenni_tui import sandbox
from zenni_tui.model.baseline import Baseline
from zenni_tui.model.measures import MEASURES, Measures, changes
from zenni_tui.model.queries import QUERIES, Analysis, Judged, ProofState, QueryState
from zenni_tui.model.record import from_json
from zenni_tui.sandbox.sample import make_application

SEEDED = {
    "app/api/bookings/route.ts": ("LIKE", "IFNULL"),
    "app/api/services/route.ts": ("boolean", "GLOB", "rowid", "INSERT OR REPLACE", "date function"),
    "app/lib/legacy.js": ("string in double quotes", "name without quotes", "printf"),
    "app/scripts/labels.py": ("group_concat",),
    "app/scripts/seed.sql": ("date as number",),
}
"""What only SQLite understands in the sample's code, by file, in the order of the files."""


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Outcome, Analysis]:
    """Return a rehearsal of the sample application, and what it has found in its code."""
    home = tmp_path_factory.mktemp("queries")
    program = Program(home)
    application = make_application(home / "app", bookings=300)
    outcome = program.run("rehearse", "--source", str(application.database))
    return program, outcome, from_json((outcome.folder / QUERIES).read_bytes(), Analysis)


def _of(analysis: Analysis, state: QueryState) -> list[Judged]:
    return [q for q in analysis.queries if q.state is state]


def test_every_seeded_query_is_found_and_no_other(rehearsed: tuple[Program, Outcome, Analysis]) -> None:
    """The twelve queries that only SQLite understands are found with their reasons; the thirty others pass for fine."""
    _, outcome, analysis = rehearsed
    assert outcome.document["verdict"] == "passed"
    translated = _of(analysis, QueryState.TRANSLATED)
    found: dict[str, list[Judged]] = {}
    for one in translated:
        found.setdefault(one.query.file, []).append(one)
    assert {f: len(found[f]) for f in found} == {f: len(names) for f, names in SEEDED.items()}
    for file, names in SEEDED.items():
        assert all(n in {m.name for m in one.marks} for n, one in zip(names, found[file], strict=True))
    assert len(_of(analysis, QueryState.PORTABLE)) == 30
    assert _of(analysis, QueryState.PERSON) == []


def test_every_reading_is_proven_on_rows(rehearsed: tuple[Program, Outcome, Analysis]) -> None:
    """Each proposed reading finds the same rows on both sides, and some; a write is said to be planned only."""
    _, _, analysis = rehearsed
    for one in _of(analysis, QueryState.TRANSLATED):
        reads = one.query.sql.startswith("SELECT")
        assert one.proof.state is (ProofState.EQUAL if reads else ProofState.EXPLAINED), one
        assert one.proof.rows > 0 or not reads
    for one in _of(analysis, QueryState.PORTABLE):
        reads = one.query.sql.startswith(("SELECT", "WITH"))
        assert one.proof.state is (ProofState.EQUAL if reads else ProofState.EXPLAINED), one


def test_findings_name_the_line_and_the_form_to_write(rehearsed: tuple[Program, Outcome, Analysis]) -> None:
    """Each seeded query is a warning with its place and PostgreSQL's form, which blocks nothing."""
    _, outcome, _ = rehearsed
    # Which of them is slower is another matter, and another one on each machine.
    found = (f for f in outcome.document["findings"] if f["code"].startswith("query_"))
    told = [f for f in found if f["code"] != "query_slower"]
    assert len(told) == 12
    assert {f["severity"] for f in told} == {"warning"}
    ilike = next(f for f in told if f["table"].startswith("app/api/bookings/route.ts:100"))
    assert ilike["advice"].startswith("Write: SELECT ")
    assert "ILIKE ${pattern}" in ilike["advice"]


def test_the_verb_tells_the_same(rehearsed: tuple[Program, Outcome, Analysis]) -> None:
    """`queries` prints what the last run has found, as a document too."""
    program, _, analysis = rehearsed
    process = program.start("queries")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "42 queries in" in out
    assert "app/lib/legacy.js:6: translated, proven: equal results" in out
    document = program.run("queries").document
    assert len(document["queries"]) == len(analysis.queries)


def test_without_a_project_there_is_nothing_to_tell(tmp_path: Path) -> None:
    """The verb says how code is found when no run has read any."""
    outcome = Program(tmp_path).run("queries")
    assert outcome.code == 3
    assert "No run has read" in outcome.narration


def test_the_report_shows_what_to_write(rehearsed: tuple[Program, Outcome, Analysis]) -> None:
    """The report has the application's queries, each changed one as it is and as it should be."""
    _, outcome, _ = rehearsed
    report = (outcome.folder / "report.md").read_text()
    assert "## Queries of the application" in report
    assert "ILIKE ${pattern}" in report
    assert "app/lib/bookings.ts" in report


def test_calls_of_prisma_are_warnings_with_their_lines(rehearsed: tuple[Program, Outcome, Analysis]) -> None:
    """The sample's search without a mode and its booking without isolation are found, with the line to write."""
    _, outcome, _ = rehearsed
    told = {f["code"]: f for f in outcome.document["findings"] if f["code"].startswith("prisma_")}
    assert told["prisma_case"]["advice"] == 'Write: customerName: { contains: text, mode: "insensitive" }'
    assert told["prisma_isolation"]["table"] == "app/lib/bookings.ts:16"


CONFIG = """\
[queries]
"open bookings" = 'SELECT "id" FROM "Booking" WHERE "status" = "confirmed" ORDER BY "id" LIMIT 20'

[metrics]
"bookings by service" = 'SELECT "serviceId", count(*) AS "n" FROM "Booking" GROUP BY "serviceId"'
"revenue" = '''SELECT strftime('%Y', "createdAt" / 1000, 'unixepoch') AS "year", sum("price") AS "eur"
  FROM "Service" GROUP BY "year"'''
"unlike" = 'SELECT "language", count(*) AS "n" FROM "Booking" GROUP BY "language"'
"unasked" = 'SELECT "dayOfWeek", typeof("startTime") AS "type" FROM "Availability"'

[metrics.on_target]
"unlike" = '''SELECT "language", count(*) + CASE "language" WHEN 'sv' THEN 1 ELSE 0 END AS "n"
  FROM "Booking" GROUP BY "language"'''
"""


def test_the_samples_own_questions_are_answered(program: Program) -> None:
    """The figures that the sample's team watches are the same on both sides, and its patterns have times and plans."""
    application = make_application(program.home / "app", bookings=2000)
    config = Path(sandbox.__file__).with_name("sample_config.toml")
    outcome = program.run("rehearse", "--source", str(application.database), "--config", str(config))
    measures = from_json((outcome.folder / MEASURES).read_bytes(), Measures)
    assert [m.why for m in measures.metrics] == ["", "", ""]
    assert all(m.readings[0].rows == m.readings[1].rows for m in measures.metrics)
    assert all(len(m.readings[1].rows) > 1 for m in measures.metrics[:2])
    assert all(p.proof.state is ProofState.EQUAL and p.plan_target for p in measures.patterns)
    assert "one form" in measures.metrics[0].note
    report = (outcome.folder / "report.md").read_text()
    assert "## Query patterns" in report
    assert "revenue by service" in report
    assert [f for f in outcome.document["findings"] if f["code"] in ("metric_differs", "question_unanswered")] == []


def test_patterns_and_metrics_of_the_config_are_measured(
    program: Program, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Patterns are timed with plans, and kept for the watch; metrics are equal, explained by rows, or named as open."""
    application = make_application(program.home / "app", bookings=300)
    config = program.home / "config.toml"
    config.write_text(CONFIG)
    arguments = ("--source", str(application.database), "--config", str(config))
    outcome = program.run("rehearse", "--keep", *arguments, environment=target_environment)
    assert outcome.document["verdict"] == "passed", outcome.narration
    measures = from_json((outcome.folder / MEASURES).read_bytes(), Measures)
    (pattern,) = measures.patterns
    assert (pattern.proof.state, pattern.proof.rows) == (ProofState.EQUAL, 20)
    assert pattern.ms_source > 0 < pattern.ms_target
    assert "Limit" in pattern.plan_target[0]
    (baseline,) = (program.home / "state" / "zenni-tui" / "baselines").glob("*.json")
    assert from_json(baseline.read_bytes(), Baseline).timings[0].name == "open bookings"
    by_name = {m.name: m for m in measures.metrics}
    assert len(by_name["bookings by service"].readings[1].rows) == 8
    assert not changes(by_name["revenue"], *by_name["revenue"].readings)
    (change,) = changes(by_name["unlike"], *by_name["unlike"].readings)
    assert change.key == ("sv",)
    assert outcome.finding("metric_differs")["table"] == "unlike"
    assert outcome.finding("question_unanswered")["table"] == "unasked"
    with psycopg.connect(**database) as connection:
        connection.execute('UPDATE "Booking" SET "language" = \'sv\' WHERE "language" = \'en\'')
    place = application.folder / "app" / "lib" / "late.ts"
    place.write_text('prisma.$queryRaw`SELECT count(*) AS "n" FROM "Tag" WHERE "label" GLOB ${"h"} || "*"`;\n')
    (application.folder / "app" / "lib" / "legacy.js").unlink()
    again = program.run("queries", "--again", "--config", str(config), environment=target_environment).document
    files = {q["query"]["file"]: q for q in again["queries"]}
    assert "app/lib/legacy.js" not in files
    assert files["app/lib/late.ts"]["state"] == "needs a person"
    assert files["app/scripts/labels.py"]["proof"]["state"] == "equal results"
    later = program.run("metrics", "--config", str(config), environment=target_environment).document
    (unlike,) = (m for m in later["metrics"] if m["name"] == "unlike")
    assert [r["place"] for r in unlike["readings"]] == ["snapshot", "target", "target"]
    assert any(c.startswith("en: gone") for c in unlike["changes"][1])
    assert any(c.startswith("sv: ") for c in unlike["changes"][1])
