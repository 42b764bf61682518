"""`watch --once` as cron calls it: exit code, document, memory from call to call, and no secret anywhere."""

import json
import sys
from pathlib import Path

import psycopg
from support import Program

_TELL = "import os, sys; open(sys.argv[1], 'a').write(os.environ['ZENNI_ALERT_JSON'] + chr(10))"


def test_cron_is_told_once_when_raised_and_once_when_cleared(
    program: Program, database: dict[str, str], target_environment: dict[str, str], tmp_path: Path
) -> None:
    """Exit 0 with nothing raised, 1 with something; the command of [notify] hears of it once each way."""
    heard, config = tmp_path / "heard", tmp_path / "config.toml"
    command = json.dumps([sys.executable, "-c", _TELL, str(heard)])
    config.write_text(f"[notify]\ncommand = {command}\n")
    with psycopg.connect(**database, autocommit=True) as application:
        application.execute("CREATE TABLE t (id smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY)")
        assert program.run("watch", "--once", environment=target_environment).code == 0
        application.execute("SELECT setval('t_id_seq', 32000)")
        codes = [program.run("watch", "--once", environment=target_environment) for _ in range(2)]
        assert [c.code for c in codes] == [1, 1]
        assert [len(c.document["raised"]) for c in codes] == [1, 0]
        (alert,) = codes[1].document["alerts"]
        assert alert["code"] == "watch_sequence"
        assert 'ALTER COLUMN "id" TYPE bigint' in alert["remedies"][0]["sql"][0]
        application.execute("SELECT setval('t_id_seq', 5)")
        assert program.run("watch", "--once", environment=target_environment).code == 0
    told = [json.loads(line) for line in heard.read_text().splitlines()]
    assert [t["state"] for t in told] == ["raised", "cleared"]
    assert "32,000 of 32,767" in told[0]["text"]
    kept = b"".join(p.read_bytes() for p in (tmp_path / "state").rglob("*") if p.is_file())
    assert database["password"].encode() not in kept
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "state").rglob("*"))


def test_a_target_that_is_away_is_an_alarm(program: Program, target_environment: dict[str, str]) -> None:
    """A target that can't be reached is raised and told, not a failure of the watch."""
    gone = target_environment["ZENNI_TARGET_URL"] + " port=1"
    outcome = program.run("watch", "--once", environment={"ZENNI_TARGET_URL": gone})
    assert outcome.code == 1
    assert [a["code"] for a in outcome.document["alerts"]] == ["watch_unreachable"]


def test_the_watch_needs_a_target(program: Program) -> None:
    """Without a target and without a run the command says how to name one, exit 3."""
    outcome = program.run("watch", "--once")
    assert outcome.code == 3
    assert "--target" in outcome.narration


def test_a_test_message_and_the_watch_are_in_the_ledger(
    program: Program, target_environment: dict[str, str], tmp_path: Path
) -> None:
    """`watch --test` delivers a message that says what it is; the plan's tasks learn of it, and of the watch, once."""
    source, heard, config = tmp_path / "app.db", tmp_path / "heard", tmp_path / "config.toml"
    arguments = ("watch", "--source", str(source))
    outcome = program.run(*arguments, "--test", environment=target_environment)
    assert outcome.code == 2
    command = json.dumps([sys.executable, "-c", _TELL, str(heard)])
    config.write_text(f"[notify]\ncommand = {command}\n")
    assert program.run(*arguments, "--test", environment=target_environment).code == 0
    assert json.loads(heard.read_text())["state"] == "test"
    for _ in range(2):
        assert program.run(*arguments, "--once", environment=target_environment).code == 0
    (ledger,) = (tmp_path / "state" / "zenni-tui" / "ledgers").glob("*.jsonl")
    deeds = [json.loads(line)["name"] for line in ledger.read_text().splitlines() if line]
    assert deeds == ["alerts", "watch"]
    config.write_text('[notify]\ncommand = ["false"]\n')
    failed = program.run(*arguments, "--test", environment=target_environment)
    assert failed.code == 1
    assert "ended with 1" in failed.narration
