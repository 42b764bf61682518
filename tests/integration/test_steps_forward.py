"""Writes of the application reach the target exactly once, whatever they do, while it serves on."""

import contextlib
import random
import sqlite3
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from forward_ground import PLAN, Ground, made

from zenni_tui.errors import Occupied, StepFailed
from zenni_tui.source import capture
from zenni_tui.target import bookkeeping, changes


@pytest.fixture
def ground(tmp_path: Path, database: dict[str, str]) -> Iterator[Ground]:
    """Yield both sides, equal."""
    with made(tmp_path, database) as both:
        yield both


@pytest.mark.parametrize(
    "writes",
    [
        ("INSERT INTO Service VALUES ('d', 'D', 1, 4)", "INSERT INTO Booking VALUES (9, 'd', 0, 'z', 9)"),
        ("UPDATE Service SET id = 'z' WHERE id = 'a'",),
        ("DELETE FROM Booking WHERE id = 1",),
        ("DELETE FROM Booking WHERE service = 'b'", "DELETE FROM Service WHERE id = 'b'"),
        ("UPDATE Booking SET id = id + 1 WHERE id = 7",),
        ("INSERT OR REPLACE INTO Booking VALUES (8, 'c', 5, 'x', NULL)",),
        ("UPDATE Booking SET code = NULL", "UPDATE Booking SET code = CASE id WHEN 1 THEN 'y' WHEN 2 THEN 'x' END"),
        (
            "UPDATE Service SET name = name || '?', place = -place",
            (
                "UPDATE Service SET name = CASE id WHEN 'a' THEN 'Hieronta' WHEN 'b' THEN 'Sauna' ELSE name END,"
                " place = 4 + place"
            ),
        ),
        ("DELETE FROM Pair WHERE a = 'p'", "INSERT INTO Pair VALUES ('p', 2, 'again')", "DELETE FROM Loose"),
        ("INSERT INTO Loose VALUES ('new')", "DELETE FROM Loose WHERE rowid = 1"),
        ("INSERT INTO Service VALUES ('d', 'D', 1, 4)", "DELETE FROM Service WHERE id = 'd'"),
    ],
)
def test_what_the_application_does_arrives(ground: Ground, writes: tuple[str, ...]) -> None:
    """Key changes, cascades, victims of REPLACE, swapped unique values and rows without a key arrive in one batch."""
    before = ground.rules()
    for write in writes:
        ground.app.execute(write)
    assert ground.follow().entries
    ground.agree()
    assert ground.rules() == before
    assert ground.follow().entries == 0


def test_rules_are_as_planned_after_following(ground: Ground) -> None:
    """Foreign keys are checked late only while changes are followed."""
    assert sum("DEFERRABLE" in rule for rule in ground.rules()) == 2
    changes.settle(ground.target, ground.ticket, PLAN)
    assert sum("DEFERRABLE" in rule for rule in ground.rules()) == 0


def test_a_batch_is_applied_once(ground: Ground) -> None:
    """A batch is not applied again by an engine that does not know of it."""
    ground.app.execute("INSERT INTO Loose VALUES ('1')")
    begin = ground.after
    ground.follow()
    ground.after = begin
    with pytest.raises(Occupied, match="Another run"):
        ground.follow()
    assert changes.position(ground.target, "run") == changes.Position(capture.position(ground.file))


def test_nothing_is_written_without_the_lease(ground: Ground) -> None:
    """An engine whose lease was taken over applies nothing more."""
    ground.target.execute("UPDATE zenni_tui.lease SET expires = now() - interval '1 s'")
    bookkeeping.take(ground.target, "run", "another")
    ground.app.execute("INSERT INTO Loose VALUES ('1')")
    with pytest.raises(Occupied):
        ground.follow()
    assert ground.target.execute('SELECT count(*) FROM "Loose"').fetchone() == (3,)


def test_a_value_that_cannot_be_carried_stops_with_its_key(ground: Ground) -> None:
    """A value that no type of the plan holds is named with table, column and key; nothing of its batch is applied."""
    ground.app.execute("INSERT INTO Service VALUES ('d', 'D', 1, 4)")
    ground.app.execute("UPDATE Booking SET \"start\" = 'soon' WHERE id = 7")
    with pytest.raises(StepFailed, match="since the snapshot") as caught:
        ground.follow()
    assert caught.value.where == 'table "bookings %s", column "start", key 7'
    assert ground.target.execute('SELECT count(*) FROM "Service"').fetchone() == (3,)
    ground.app.execute('UPDATE Booking SET "start" = 0 WHERE id = 7')
    ground.follow()
    ground.agree()


def test_a_burst_comes_in_parts(ground: Ground) -> None:
    """Ten thousand changes are applied in parts, each with its position, until none is left."""
    with ground.app:
        ground.app.executemany("INSERT INTO Pair VALUES (?, ?, 'n')", (("n", i) for i in range(10_000)))
    parts = [ground.follow()]
    while parts[-1].left:
        parts.append(ground.follow())
    assert [p.entries for p in parts] == [5_000, 5_000]
    ground.agree()


def test_a_table_without_a_key_rests_between_copies(ground: Ground) -> None:
    """One that was copied whole just now waits, also for an engine that comes later; others don't wait for it."""
    engine = ground.engine()
    ground.app.execute("INSERT INTO Loose VALUES ('1')")
    assert ground.follow(engine).upto.pending == frozenset()
    ground.agree()
    engine._turns.took({"Loose"}, 3600)
    ground.app.execute("INSERT INTO Loose VALUES ('2')")
    ground.app.execute("INSERT INTO Pair VALUES ('r', 1, 'now')")
    done = ground.follow(engine)
    assert (done.entries, done.upto.pending, engine.due(done.upto.pending)) == (2, {"Loose"}, False)
    assert ground.target.execute("SELECT note FROM \"Pair\" WHERE a = 'r'").fetchone() == ("now",)
    assert ground.target.execute('SELECT count(*) FROM "Loose"').fetchone() == (4,)
    assert ground.follow(engine).written == 0
    ground.after = changes.position(ground.target, "run") or ground.after
    assert ground.follow().written == 5
    ground.agree()
    assert changes.position(ground.target, "run") == changes.Position(capture.position(ground.file))


def test_a_hurry_lets_no_table_wait(ground: Ground) -> None:
    """What is to be drained is copied at once, however short a time ago it was copied before."""
    engine = ground.engine()
    engine._turns.took({"Loose"}, 3600)
    ground.app.execute("INSERT INTO Loose VALUES ('1')")
    assert ground.follow(engine).upto.pending == {"Loose"}
    engine.hurry = True
    assert engine.due(ground.after.pending)
    assert ground.follow(engine).upto.pending == frozenset()
    ground.agree()


def test_a_large_table_without_a_key_is_not_held_in_memory(ground: Ground) -> None:
    """A table of 32 MB that is copied whole again takes some MB of ours, and leaves no file behind."""
    ground.app.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 320)"
        " INSERT INTO Loose SELECT hex(randomblob(51200)) FROM n"
    )
    tracemalloc.start()
    try:
        ground.follow()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16_000_000
    assert sorted(p.name for p in ground.folder.iterdir()) == ["app.db"]
    ground.agree()


def test_any_writes_are_followed(ground: Ground) -> None:
    """After each of many random bursts of writes, with every conflict policy, both sides hold the same."""
    dice = random.Random(20261122)  # noqa: S311 - a test's dice
    writes = (
        "INSERT OR {p} INTO Service VALUES ('{t}', '{t}{u}', {n}, {n})",
        "UPDATE OR {p} Service SET id = '{t}' WHERE id = '{u}'",
        "UPDATE OR {p} Service SET name = '{t}', place = place + {n} WHERE id > '{u}'",
        "DELETE FROM Service WHERE id = '{t}'",
        "INSERT OR {p} INTO Booking VALUES ({n}, '{t}', {n}, '{u}', NULL)",
        "INSERT OR {p} INTO Booking SELECT {n} + 10, '{t}', '2026-01-01', '{u}', min(id) FROM Booking",
        "UPDATE OR {p} Booking SET id = id + {n} WHERE id > 3",
        "UPDATE OR {p} Booking SET code = '{t}' WHERE id % 3 = {n}",
        "DELETE FROM Booking WHERE id % 5 = {n}",
        "INSERT OR {p} INTO Pair VALUES ('{t}', {n}, '{u}')",
        "UPDATE OR {p} Pair SET b = {n} WHERE a = '{t}'",
        "INSERT INTO Loose VALUES ('{t}')",
    )
    for _ in range(60):
        for _ in range(dice.randint(1, 6)):
            policy = dice.choice(["REPLACE", "REPLACE", "IGNORE", "ABORT"])
            words = {"p": policy, "t": dice.choice("abcdeé"), "u": dice.choice("abcde"), "n": dice.randint(0, 9)}
            with contextlib.suppress(sqlite3.IntegrityError):
                ground.app.execute(dice.choice(writes).format(**words))
        ground.follow()
        ground.agree()
