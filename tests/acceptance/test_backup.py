"""`backup`: a dump of the new database that was restored and compared, noted among the plan's deeds."""

import json
import stat
from pathlib import Path

import pytest
from support import Program

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
    tasks, _ = program.start("tasks", "--json").communicate(timeout=60)
    evidence = [e for t in json.loads(tasks) for c, e in t["evidence"].items() if c == "deed backup"]
    assert evidence
    assert all(e["ok"] for e in evidence)


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
    tasks, _ = program.start("tasks", "--json", *source).communicate(timeout=60)
    evidence = [e for t in json.loads(tasks) for c, e in t["evidence"].items() if c == "deed backup"]
    assert [e["ok"] for e in evidence] == [False]
