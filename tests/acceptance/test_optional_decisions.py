"""Decisions that a team may take for PostgreSQL: offered when the data allows it, off until chosen, carried out."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support import Outcome, Program

from zenni_tui.application import prisma, prisma_plan, prisma_proposal
from zenni_tui.model.plan import Plan
from zenni_tui.model.record import from_json

SCHEMA = """generator client {
  provider = "prisma-client-js"
}

datasource db {
  provider = "sqlite"
  url      = "file:./app.db"
}

model Treatment {
  id       String  @id
  name     String
  facts    String  @default("{}") // kept by the shop
  code     String
  visits   Visit[]
}

model Visit {
  id          Int       @id @default(autoincrement())
  treatmentId String
  treatment   Treatment @relation(fields: [treatmentId], references: [id])
  date        DateTime
  opens       String    @map("opens_at")
  state       String    @default("open")
  createdAt   DateTime  @default(now())
}
"""
DDL = """
CREATE TABLE "Treatment" ("id" TEXT NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "facts" TEXT NOT NULL DEFAULT '{}',
  "code" TEXT NOT NULL);
CREATE TABLE "Visit" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "treatmentId" TEXT NOT NULL,
  "date" DATETIME NOT NULL, "opens_at" TEXT NOT NULL, "state" TEXT NOT NULL DEFAULT 'open',
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "Visit_treatmentId_fkey" FOREIGN KEY ("treatmentId") REFERENCES "Treatment" ("id")
  ON DELETE RESTRICT ON UPDATE CASCADE);
"""
CHOICES = {
    "review_json_text/Treatment/facts": "type:jsonb",
    "review_unique_name/Treatment/name": "unique_add",
    "review_new_column/Treatment": "column_add:extras",
    "review_time_text/Visit/opens_at": "type:time",
    "review_closed_set/Visit/state": "enum:no-show,open,done",
    "review_query_index/Visit/date": "index_add",
    "review_query_index/Visit/treatmentId": "index_add",
    "review_query_index/Visit/state": "index_add",
}


def _make(program: Program, *, codes: tuple[str, ...] = ()) -> Path:
    """Make an application of 20 treatments and 40 visits; the first treatments have the given codes."""
    path = program.home / "app.db"
    (program.home / "schema.prisma").write_text(SCHEMA)
    with sqlite3.connect(path) as source:
        source.executescript(DDL)
        for n in range(20):
            code = codes[n] if n < len(codes) else f"K{n:03}"
            row = (f"t{n:02}", f"Hoito {n}", f'{{"minutes": {n}, "tags": ["ä"]}}', code)
            source.execute("INSERT INTO Treatment VALUES (?, ?, ?, ?)", row)
        for n in range(40):
            row = (
                f"t{n % 20:02}",
                1_760_000_000_000 + n,
                f"{n % 24:02}:30",
                ("open", "no-show")[n % 2],
                1_760_000_000_000,
            )
            source.execute("INSERT INTO Visit (treatmentId, date, opens_at, state, createdAt) VALUES (?,?,?,?,?)", row)
    source.close()
    return path


def _rehearse(program: Program, path: Path, environment: dict[str, str], choices: dict[str, str]) -> Outcome:
    lines = (f'"{finding}" = "{repair}"' for finding, repair in choices.items())
    (program.home / "config.toml").write_text("\n".join(["[schema.repairs]", *lines]))
    return program.run("rehearse", "--source", str(path), "--keep", environment=environment)


def _offered(outcome: Outcome) -> dict[str, dict[str, Any]]:
    parts = ((f["code"], f["table"], f["column"], f) for f in outcome.document["findings"])
    return {"/".join(p for p in (code, table, column) if p): f for code, table, column, f in parts}


def test_offers_are_made_and_off(program: Program, target_environment: dict[str, str]) -> None:
    """Every offer is a finding that blocks nothing, and without a choice the plan is exactly Prisma's."""
    outcome = _rehearse(program, _make(program), target_environment, {})
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
    offered = _offered(outcome)
    assert {i: f["severity"] for i, f in offered.items() if i in CHOICES} == dict.fromkeys(CHOICES, "info")
    assert not any(f["chosen"] for f in offered.values())
    labels = [r["id"] for r in offered["review_closed_set/Visit/state"]["repairs"]]
    assert labels == ["enum:no-show,open", "check_in"]
    plan = from_json((outcome.folder / "plan.json").read_bytes(), Plan)
    wanted = prisma_plan.target_plan(prisma.read_schema(program.home / "schema.prisma"))
    assert [[c.type for c in t.columns] for t in plan.tables] == [[c.type for c in t.columns] for t in wanted.tables]
    assert (plan.enums, plan.indexes) == (wanted.enums, wanted.indexes)
    assert not (outcome.folder / "schema.prisma.diff").exists()


def test_chosen_decisions_are_carried_out_and_verified(
    program: Program, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """Chosen, they are in the target, with every value, verified, and kept in the plan."""
    outcome = _rehearse(program, _make(program), target_environment, CHOICES)
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
    assert {i: f["chosen"] for i, f in _offered(outcome).items() if f["chosen"]} == CHOICES
    plan = from_json((outcome.folder / "plan.json").read_bytes(), Plan)
    assert CHOICES.items() <= plan.choices.items()
    with psycopg.connect(**database) as target:  # type: ignore[arg-type]
        facts = target.execute("SELECT facts -> 'minutes', extras, name FROM \"Treatment\" WHERE id = 't07'").fetchone()
        assert facts == (7, None, "Hoito 7")
        first = target.execute('SELECT "opens_at"::text, state::text FROM "Visit" WHERE id = 2').fetchone()
        assert first == ("01:30:00", "no-show")
        labels = target.execute('SELECT enum_range(NULL::"VisitState")::text[]').fetchone()
        assert labels == (["no-show", "open", "done"],)
        indexes = {n for (n,) in target.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
        assert {"Treatment_name_key", "Visit_date_idx", "Visit_treatmentId_date_idx", "Visit_state_idx"} <= indexes
        target.execute("INSERT INTO \"Visit\" (\"treatmentId\", date, opens_at) VALUES ('t01', now(), '09:15')")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            target.execute("UPDATE \"Visit\" SET state = 'other'")


def test_the_change_to_the_prisma_schema_leaves_no_drift(program: Program, target_environment: dict[str, str]) -> None:
    """The schema with the proposed change asks of PostgreSQL exactly what the plan makes, and is told in the report."""
    outcome = _rehearse(program, _make(program), target_environment, CHOICES)
    plan = from_json((outcome.folder / "plan.json").read_bytes(), Plan)
    path = program.home / "schema.prisma"
    for file, text in prisma_proposal.proposed(path, prisma.read_schema(path), plan).items():
        Path(file).write_text(text)
    wanted = prisma_plan.target_plan(prisma.read_schema(path))
    for table in wanted.tables:
        planned = plan.table(table.name)
        assert [(c.name, c.type, c.not_null) for c in table.columns] == [
            (c.name, c.type, c.not_null) for c in planned.columns
        ]
        assert [c.default for c in table.columns] == [c.default for c in planned.columns]
    assert wanted.enums == plan.enums
    described = [{(i.name, i.table, i.columns, i.unique) for i in made.indexes} for made in (wanted, plan)]
    assert described[0] == described[1]
    difference = (outcome.folder / "schema.prisma.diff").read_text()
    report = (outcome.folder / "report.md").read_text()
    assert difference.strip() in report
    added = re.findall(r"^\+(?!\+)\s*(.*)", difference, re.MULTILINE)
    assert 'provider = "postgresql"' in added
    assert 'no_show @map("no-show")' in added
    assert any(re.fullmatch(r'facts\s+Json\s+@default\("\{\}"\) // kept by the shop', line) for line in added)


def test_rows_in_the_way_of_a_decision_are_named(program: Program, target_environment: dict[str, str]) -> None:
    """Where a few rows break what would be a rule, it is not on offer, and their keys are told."""
    outcome = _rehearse(program, _make(program, codes=("same", "same")), target_environment, {})
    finding = _offered(outcome)["review_unique_name/Treatment/code"]
    assert (finding["keys"], finding["repairs"], finding["count"]) == (["t00", "t01"], [], 2)


def test_a_check_keeps_text_and_refuses_other_words(
    program: Program, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A closed set may become a CHECK instead of an enum, in a file without a Prisma schema too."""
    path = _make(program)
    (program.home / "schema.prisma").unlink()
    outcome = _rehearse(program, path, target_environment, {"review_closed_set/Visit/state": "check_in"})
    assert (outcome.code, outcome.document["verdict"]) == (0, "passed"), outcome.narration
    with (
        psycopg.connect(**database) as target,  # type: ignore[arg-type]
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        target.execute("UPDATE \"Visit\" SET state = 'other'")


def test_a_label_too_few_is_found_before_the_first_write(program: Program, target_environment: dict[str, str]) -> None:
    """An enum that lacks a word that rows hold blocks, with their keys."""
    labels = {"review_closed_set/Visit/state": "enum:open"}
    outcome = _rehearse(program, _make(program), target_environment, labels)
    assert (outcome.code, outcome.document["verdict"]) == (3, "not_ready")
    found = outcome.finding("enum_unknown")
    assert (found["table"], found["column"], found["count"]) == ("Visit", "state", 20)
    assert found["keys"][:2] == ["2", "4"]
