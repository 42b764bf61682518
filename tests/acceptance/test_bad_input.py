"""Bad input: a clear message, the right exit code, and an untouched target."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from support import Program, follow, wait

from zenni_tui.model.runbook import StepId
from zenni_tui.sandbox.sample import SampleApplication


def _empty(place: Path, _: Path) -> None:
    place.touch()


def _csv(place: Path, _: Path) -> None:
    place.write_text("id,name\n" + "1,Aino\n" * 200)


def _cut(place: Path, good: Path) -> None:
    place.write_bytes(good.read_bytes()[: good.stat().st_size * 2 // 3])


def _damaged(place: Path, good: Path) -> None:
    data = bytearray(good.read_bytes())
    for page in range(4096, len(data), 4096 * 3):
        data[page : page + 64] = b"\xff" * 64
    place.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (None, "no such file"),
        (lambda place, _: place.mkdir(), "directory"),
        (_empty, "empty"),
        (_csv, "not an SQLite database"),
        (_cut, "cut short"),
        (_damaged, "damaged"),
    ],
    ids=["missing", "directory", "empty", "csv", "cut", "damaged"],
)
def test_a_source_that_is_none(  # noqa: PLR0917 - fixtures are named
    program: Program,
    sample: SampleApplication,
    make: Callable[[Path, Path], None] | None,
    says: str,
    target_environment: dict[str, str],
    database: dict[str, str],
) -> None:
    """What is no sound database is not ready, exit 3, said in words, and the target is not touched."""
    place = program.home / "source.db"
    if make is not None:
        make(place, sample.database)
    outcome = program.run("rehearse", "--source", str(place), environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (3, "not_ready"), outcome.narration
    problem = outcome.document["problem"]
    assert says in problem["what"] + problem["why"] or "malformed" in problem["why"]
    assert problem["where"]
    assert problem["next_step"]
    _untouched(database)


def _untouched(database: dict[str, str]) -> None:
    with psycopg.connect(**database) as target:
        found = target.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'"
            " AND nspname NOT IN ('public', 'information_schema')"
        ).fetchone()
        assert found == (0,)
        assert target.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"port": "closed"}, "Nothing listens"),
        ({"host": "no-such-host.invalid"}, "can't be resolved"),
        ({"password": "wrong"}, "refused the password"),
        ({"dbname": "no_such_database"}, "no such database"),
    ],
    ids=["refused", "unknown-host", "wrong-password", "no-database"],
)
def test_a_target_that_does_not_answer(
    program: Program, sample: SampleApplication, database: dict[str, str], change: dict[str, str], says: str
) -> None:
    """What keeps us from the target is named, exit 3."""
    if change.get("port") == "closed":
        change = {"port": str(_closed_port())}
    url = psycopg.conninfo.make_conninfo("", **(database | change))
    outcome = program.run("rehearse", "--source", str(sample.database), environment={"ZENNI_TARGET_URL": url})
    assert (outcome.code, outcome.document["verdict"]) == (3, "not_ready")
    assert says in outcome.document["problem"]["what"]
    assert outcome.document["problem"]["next_step"]


def test_a_table_with_rows_blocks(
    program: Program, sample: SampleApplication, database: dict[str, str], target_environment: dict[str, str]
) -> None:
    """A table of ours that holds somebody's rows blocks, by name, and keeps its rows."""
    with psycopg.connect(**database, autocommit=True) as target:
        target.execute('CREATE TABLE "Booking" (id text); INSERT INTO "Booking" VALUES (\'theirs\')')
    outcome = program.run("rehearse", "--source", str(sample.database), environment=target_environment)
    assert (outcome.code, outcome.document["verdict"]) == (3, "not_ready")
    assert outcome.finding("target_table_filled")["table"] == "Booking"
    with psycopg.connect(**database) as target:
        assert target.execute('SELECT id FROM "Booking"').fetchall() == [("theirs",)]
        assert target.execute("SELECT to_regnamespace('zenni_tui')").fetchone() == (None,)


def test_an_unknown_key_names_the_nearest(program: Program, sample: SampleApplication) -> None:
    """An unknown config key is refused, exit 2, with the key that was probably meant."""
    config = program.home / "config.toml"
    config.write_text("[copy]\nworker = 3\n")
    outcome = program.run("rehearse", "--source", str(sample.database))
    assert outcome.code == 2
    assert outcome.document["problem"]["next_step"] == "Did you mean copy.workers?"


def test_a_password_in_an_option_is_refused(program: Program, sample: SampleApplication) -> None:
    """A password inside --target is refused, exit 2, with the ways to give it, and is not repeated."""
    outcome = program.run("check", "--source", str(sample.database), "--target", "postgresql://u:hush@127.0.0.1/x")
    assert outcome.code == 2
    assert "PGPASSFILE" in outcome.document["problem"]["next_step"]
    assert "hush" not in outcome.narration


def test_a_config_with_a_password_must_be_private(program: Program, sample: SampleApplication) -> None:
    """A config file that holds a password and can be read by others is refused, exit 2."""
    config = program.home / "config.toml"
    config.write_text('[target]\nurl = "postgresql://u:hush@127.0.0.1/x"\n')
    config.chmod(0o644)
    outcome = program.run("check", "--source", str(sample.database))
    assert (outcome.code, outcome.document["problem"]["next_step"]) == (2, "chmod 600 config.toml")


def test_a_second_run_is_told_who_holds_it(
    program: Program, make_sample: Callable[..., SampleApplication], target_environment: dict[str, str]
) -> None:
    """While one run holds source and target, a second on either ends with exit 6 and changes nothing."""
    first_app, second_app = make_sample(bookings=500), make_sample(bookings=50)
    first = program.start("rehearse", "--source", str(first_app.database), "--json", environment=target_environment)
    follower = follow(program)
    wait(follower, lambda run: bool(run.state.step(StepId.REACH).checks))
    assert follower.send("pause").ok
    same_target = program.run("rehearse", "--source", str(second_app.database), environment=target_environment)
    same_source = program.run("rehearse", "--source", str(first_app.database))
    assert follower.send("unpause").ok
    told = first.communicate(timeout=120)[1]
    assert (same_target.code, same_source.code) == (6, 6), told
    assert "holds this target" in same_target.document["problem"]["what"]
    assert "holds this source" in same_source.document["problem"]["what"]
    assert first.returncode == 0


def test_a_lease_from_elsewhere_is_respected(
    program: Program,
    sample: SampleApplication,
    target_environment: dict[str, str],
    make_sample: Callable[..., SampleApplication],
) -> None:
    """An engine whose locks this machine can't see, as on another machine, holds the target by its lease."""
    big = make_sample(bookings=60_000)
    first = program.start("rehearse", "--source", str(big.database), "--json", environment=target_environment)
    url = target_environment["ZENNI_TARGET_URL"]
    with psycopg.connect(url, autocommit=True) as target:
        while target.execute("SELECT to_regclass('zenni_tui.lease')").fetchone() == (None,):
            assert first.poll() is None
    follower = follow(program)
    assert follower.send("pause").ok
    elsewhere = target_environment | {"XDG_STATE_HOME": str(program.home / "elsewhere")}
    second = program.run("rehearse", "--source", str(sample.database), environment=elsewhere)
    assert second.code == 6, second.narration
    assert follower.send("unpause").ok
    first.communicate(timeout=120)
    assert first.returncode == 0


def test_a_name_that_needs_quoting(program: Program, sample: SampleApplication) -> None:
    """A path with spaces, quotes, a percent sign and a question mark is a path like any other."""
    place = program.home / "varaukset 100% 'vanha' #1?.db"
    shutil.copyfile(sample.database, place)
    assert program.run("audit", "--source", str(place)).code == 0
