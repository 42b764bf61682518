"""`backup`: a dump of the new database that was restored and compared, noted among the plan's deeds."""

import json
import stat
from pathlib import Path

import psycopg
import pytest
import switching
from support import Program, wait

from zenni_tui.engine.client import Follower
from zenni_tui.sandbox.sample import SampleApplication


def test_a_rehearsal_proves_that_what_it_made_can_be_backed_up(program: Program, sample: SampleApplication) -> None:
    """With --prove-backup the embedded result is dumped, restored elsewhere and found the same; nothing stays."""
    made = program.run("rehearse", "--source", str(sample.database), "--prove-backup")
    assert made.code == 0
    check = next(c for c in made.step("report")["checks"] if c["name"] == "restore proof")
    assert check["ok"]
    assert f"{sum(t['rows_target'] or 0 for t in made.document['tables']):,} rows" in check["found"]
    assert list(made.folder.glob("*.dump*")) == []


@pytest.fixture
def migrated(program: Program, sample: SampleApplication, target_environment: dict[str, str]) -> dict[str, str]:
    """Leave a rehearsal's result in the test's database, and return the environment that names it."""
    assert program.run("rehearse", "--keep", "--source", str(sample.database), environment=target_environment).code == 0
    return target_environment


def _deeds(program: Program) -> list[bool]:
    lines = [
        line
        for ledger in (program.home / "state" / "zenni-tui" / "ledgers").glob("*.jsonl")
        for line in ledger.read_text().splitlines()
        if line
    ]
    return [deed["ok"] for deed in map(json.loads, lines) if deed["name"] == "backup"]


def test_proven_dumps_are_kept_and_old_ones_go(
    program: Program, sample: SampleApplication, migrated: dict[str, str], database: dict[str, str]
) -> None:
    """With keep = 1 the second dump replaces the first; a file of somebody else's stays; the deed is noted."""
    folder = program.home / "dumps"
    folder.mkdir()
    (folder / "other.dump").write_text("not ours")
    (program.home / "config.toml").write_text(
        f'[source]\npath = "{sample.database}"\n[backup]\nfolder = "dumps"\nkeep = 1\n'
    )
    for _ in range(2):
        made = program.run("backup", environment=migrated)
        assert made.code == 0
    file = Path(made.document["taken"]["file"])
    assert {f.name for f in folder.iterdir()} == {"other.dump", file.name, f"{file.name}.facts.json"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert database["password"] not in json.dumps(made.document)
    again = program.run("backup", "--check", str(file), environment=migrated)
    assert again.code == 0
    assert _deeds(program) == [True, True, True]


def test_a_dump_that_is_not_what_was_written_fails(
    program: Program, sample: SampleApplication, migrated: dict[str, str]
) -> None:
    """A damaged dump is refused by name, and the deed is noted as failed."""
    source = ("--source", str(sample.database))
    file = program.home / "mine.dump"
    assert program.run("backup", "--into", str(file), *source, environment=migrated).code == 0
    refused = program.run("backup", "--into", str(file), *source, environment=migrated)
    assert (refused.code, "already" in refused.narration) == (2, True)
    file.write_bytes(file.read_bytes()[:-9])
    broken = program.run("backup", "--check", str(file), *source)
    assert broken.code == 1
    assert str(file) in broken.narration
    assert _deeds(program) == [True, False]


def _looked(folder: Path, name: str) -> list[bool]:
    entries = [json.loads(line)["what"] for line in (folder / "events.jsonl").read_text().splitlines()]
    return [e["ok"] for e in entries if e["event"] == "check_made" and e["name"] == name]


def test_a_rollback_window_ends_only_with_a_proven_backup(
    program: Program, tmp_path: Path, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """What can't be dumped keeps the window open, and writes still go back; once that is mended it ends."""
    application = switching.Application(tmp_path / "app")
    waiting = switching.migrate(program, application, target_environment)
    assert switching.switch(program, target_environment).code == 0
    obstacle = waiting.folder / "target.dump"
    obstacle.mkdir()
    refused = program.run("finish", "--confirm", "FINISH", environment=target_environment)
    assert refused.code == 1
    assert "FINISH+UNPROVEN" in refused.narration
    with psycopg.connect(**database) as target:
        target.execute("INSERT INTO \"Loose\" VALUES ('after', 3)")
    follower = Follower(waiting.folder)
    wait(follower, lambda _: bool(application.rows("SELECT 1 FROM Loose WHERE note = 'after'")))
    assert follower.alive
    obstacle.rmdir()
    ended = program.run("finish", "--confirm", "FINISH", environment=target_environment)
    assert (ended.code, ended.document["verdict"]) == (0, "passed"), ended.narration
    assert _looked(waiting.folder, "restore proof") == [False, True]
    assert obstacle.is_file()
    assert "restore proof" in (waiting.folder / "report.md").read_text()
    assert "3 tables with 7 rows" in (waiting.folder / "documents" / "backup.md").read_text()


def test_the_proof_can_be_waived_by_a_word_that_is_kept(
    program: Program, tmp_path: Path, target_environment: dict[str, str]
) -> None:
    """FINISH+UNPROVEN ends the window without a dump, and the report says who typed it."""
    application = switching.Application(tmp_path / "app")
    waiting = switching.migrate(program, application, target_environment)
    assert switching.switch(program, target_environment).code == 0
    word = ("finish", "--confirm", "FINISH+UNPROVEN", "--by", "Aino", "--why", "no room")
    assert program.run(*word, environment=target_environment).code == 0
    assert _looked(waiting.folder, "restore proof") == []
    report = (waiting.folder / "report.md").read_text()
    assert "Aino" in report
    assert "WITHOUT: UNPROVEN" in report


def test_whether_a_backup_is_possible_is_known_from_the_first_check(
    program: Program, sample: SampleApplication, target_environment: dict[str, str]
) -> None:
    """`check` names the pg_dump that will be used, long before the day on which it is needed."""
    made = program.run("check", "--source", str(sample.database), environment=target_environment)
    assert made.code == 0
    found = next(c for c in made.step("reach")["checks"] if c["name"] == "backup")
    assert found["ok"]
    assert found["found"].startswith("pg_dump 18.")
