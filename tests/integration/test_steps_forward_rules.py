"""What is followed keeps to the plan and to the target's rules, and is remembered until it is compared."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from forward_ground import PLAN, Ground, made

from zenni_tui.compare.changed import compare_all_keys, compare_keys
from zenni_tui.compare.session import pin_session
from zenni_tui.errors import Occupied, StepFailed
from zenni_tui.model.plan import (
    Clearing,
    Plan,
    Reference,
)
from zenni_tui.source import capture
from zenni_tui.steps import forward
from zenni_tui.steps.touched import Touched
from zenni_tui.target import bookkeeping

AGAIN = "another arming"


@pytest.fixture
def ground(tmp_path: Path, database: dict[str, str]) -> Iterator[Ground]:
    """Yield both sides, equal."""
    with made(tmp_path, database) as both:
        yield both


def cascading() -> Plan:
    """Return the plan with the action that the target's self-reference has."""
    keys = tuple(msgspec.structs.replace(k, on_delete="CASCADE") if k.name == "self" else k for k in PLAN.foreign_keys)
    return msgspec.structs.replace(PLAN, foreign_keys=keys)


def test_rows_that_an_application_without_foreign_keys_leaves_behind(ground: Ground) -> None:
    """A delete that would take rows along in the target, but left them in the source, is refused with the row."""
    ground.plan = cascading()
    ground.app.execute("PRAGMA foreign_keys = OFF")
    ground.app.execute("DELETE FROM Booking WHERE id = 1")
    with pytest.raises(StepFailed, match="target refuses") as caught:
        ground.follow()
    assert '"bookings %s"' in caught.value.why
    assert ground.target.execute('SELECT count(*) FROM "bookings %s"').fetchone() == (3,)
    ground.app.execute("DELETE FROM Booking WHERE id IN (2, 7)")
    ground.follow()
    ground.agree()


def test_a_keyed_table_that_comes_whole_takes_nothing_along(ground: Ground) -> None:
    """A table whose log was lost is replaced row by row: what refers to its rows stays, what is gone goes."""
    ground.plan = cascading()
    ground.app.execute("INSERT INTO Booking VALUES (9, 'c', 0, 'z', 7)")
    ground.follow()
    for trigger in ground.triggers("Booking"):
        ground.app.execute(f'DROP TRIGGER "{trigger}"')
    ground.app.execute("UPDATE Booking SET code = NULL")
    ground.app.execute("UPDATE Booking SET code = CASE id WHEN 1 THEN 'y' WHEN 2 THEN 'x' END WHERE id < 3")
    ground.app.execute("DELETE FROM Booking WHERE id = 9")
    assert capture.lost(ground.file, ground.schema) == ("Booking",)
    keys = {"Booking": forward.keys(PLAN)["Booking"]}
    capture.arm_again(ground.file, ground.schema, keys, token=AGAIN, beyond=ground.after.upto)
    assert capture.lost(ground.file, ground.schema) == ()
    ground.follow()
    ground.agree()
    ground.app.execute("UPDATE Booking SET code = 'seen' WHERE id = 7")
    ground.follow()
    ground.agree()


def test_numbers_of_the_log_never_begin_again(ground: Ground) -> None:
    """A log that vanished goes on after what the target has applied, so that nothing new is taken for old."""
    for number in range(20):
        ground.app.execute("INSERT INTO Loose VALUES (?)", (str(number),))
    ground.follow()
    capture.disarm(ground.file)
    ground.app.execute("INSERT INTO Pair VALUES ('unseen', 1, NULL)")
    capture.arm_again(ground.file, ground.schema, forward.keys(PLAN), token=AGAIN, beyond=ground.after.upto)
    assert capture.armed(ground.file) == AGAIN
    ground.app.execute("UPDATE Service SET price = 99 WHERE id = 'a'")
    ground.follow()
    ground.agree()


def test_a_reference_further_on_in_the_log(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that refers to one that stands further on in the log is applied together with it."""
    monkeypatch.setattr(forward, "MOST", 2)
    ground.app.execute("UPDATE Booking SET code = 'q' WHERE id = 1")
    ground.app.execute("INSERT INTO Pair VALUES ('x', 9, NULL), ('y', 9, NULL)")
    ground.app.execute("INSERT INTO Service VALUES ('new', 'New', 1, 77)")
    ground.app.execute("UPDATE Booking SET service = 'new' WHERE id = 1")
    assert ground.follow().left == 0
    ground.agree()


def test_rows_kept_out_stay_out_by_their_key(ground: Ground) -> None:
    """A row that the operator keeps out is not carried when it changes, wherever a VACUUM has put it."""
    ground.kept_out = {"Service": frozenset({("c",)})}
    ground.target.execute("DELETE FROM \"Service\" WHERE id = 'c'")
    ground.app.execute("VACUUM")
    ground.app.execute("UPDATE Service SET price = 5")
    ground.follow()
    rows = ground.target.execute('SELECT id, price FROM "Service" ORDER BY 1').fetchall()
    assert rows == [("a", 5.0), ("b", 5.0)]


def test_references_are_cleared_and_come_back_with_their_parent(ground: Ground) -> None:
    """A reference that finds no parent is NULL in the target, until the parent is there."""
    reference = Reference(("parent",), "Booking", ("id",))
    tables = tuple(
        msgspec.structs.replace(t, clearings=(Clearing("parent", reference),)) if t.source == "Booking" else t
        for t in PLAN.tables
    )
    ground.plan = msgspec.structs.replace(PLAN, tables=tables)
    ground.app.execute("PRAGMA foreign_keys = OFF")
    ground.app.execute("UPDATE Booking SET parent = 50 WHERE id = 2")
    ground.follow()
    parents = 'SELECT parent FROM "bookings %s" WHERE "booking id" = 2'
    assert ground.target.execute(parents).fetchone() == (None,)
    ground.app.execute("INSERT INTO Booking VALUES (50, 'a', 0, NULL, NULL)")
    ground.follow()
    assert ground.target.execute(parents).fetchone() == (50,)
    ground.agree()


def test_what_a_batch_touches_is_told_before_it_is_applied(ground: Ground) -> None:
    """Keys and whole tables are heard of, also of a batch that the target refuses."""
    ground.app.execute("UPDATE Booking SET code = 'n' || id")
    ground.app.execute("INSERT INTO Loose VALUES ('new')")
    bookkeeping.take(ground.target, "run", "another")
    with pytest.raises(Occupied):
        ground.follow()
    (found,) = ground.noted
    assert (set(found.keys["Booking"]), found.whole) == ({(1,), (2,), (7,)}, ("Loose",))


def test_some_of_what_was_touched_is_forgotten(ground: Ground, tmp_path: Path) -> None:
    """Keys that were compared in between are forgotten, and no others, also by an engine that comes later."""
    touched = Touched(tmp_path)
    ground.app.execute("UPDATE Service SET price = price + 1")
    ground.app.execute("DELETE FROM Booking WHERE id = 7")
    ground.follow()
    touched.note(ground.noted[-1])
    some = touched.some(2)
    assert sum(map(len, some.values())) == 2
    touched.forget_some(some)
    assert touched.rows == 2
    touched.close()
    again = Touched(tmp_path)
    left = {(name, key) for name in again.tables() for key in again.keys(name)}
    everything = {("Service", ("a",)), ("Service", ("b",)), ("Service", ("c",)), ("Booking", (7,))}
    assert left == everything - {(name, key) for name, keys in some.items() for key in keys}
    again.close()


def test_what_was_touched_is_remembered_and_compared(ground: Ground, tmp_path: Path) -> None:
    """Touched rows are compared by key; a value, a row too many and one too few are each named."""
    touched = Touched(tmp_path)
    ground.app.execute("UPDATE Service SET price = price + 1 WHERE id <> 'c'")
    ground.app.execute("DELETE FROM Booking WHERE id = 7")
    ground.follow()
    touched.note(ground.noted[-1])
    touched.close()
    again = Touched(tmp_path)
    assert (again.rows, again.tables(), again.whole()) == (3, {"Service", "Booking"}, set())
    with psycopg.connect(**ground.place, autocommit=True) as verifier:
        pin_session(verifier)

        def compared() -> list[tuple[str, str, str | None]]:
            found = []
            for table in (PLAN.table("Service"), PLAN.table("bookings %s")):
                keys = again.keys(table.source)
                there = compare_keys(ground.file, verifier, "public", table, keys, unique=PLAN.row_key(table))
                found += [(d.table, d.key, d.column) for d in there.differences]
                assert there.rows_differing == len(there.differences)
            return found

        assert compared() == []
        ground.target.execute("UPDATE \"Service\" SET price = 0 WHERE id = 'a'")
        ground.target.execute("INSERT INTO \"bookings %s\" OVERRIDING SYSTEM VALUE VALUES (7, 'b')")
        assert compared() == [("Service", "a", "price"), ("bookings %s", "7", None)]
        ground.target.execute("UPDATE \"Service\" SET id = 'gone' WHERE id = 'a'")
        assert compared()[0] == ("Service", "a", None)
        service = PLAN.table("Service")
        whole = compare_all_keys(ground.file, verifier, "public", service, unique=("id",))
        assert [(d.key, d.column) for d in whole.differences] == [("a", None), ("1 rows", None)]
    again.forget()
    assert (again.rows, again.tables()) == (0, set())
    again.close()


def test_large_rows_come_in_small_batches(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch holds no more bytes than there is room for, but always one entry of the log."""
    monkeypatch.setattr(forward, "_BYTES", 200_000)
    ground.app.execute("BEGIN")
    rows = ((i, "a", i, f"{i:01000x}", None) for i in range(100, 700))
    ground.app.executemany("INSERT INTO Booking VALUES (?, ?, ?, ?, ?)", rows)
    ground.app.execute("COMMIT")
    done = [ground.follow()]
    while done[-1].left:
        done.append(ground.follow())
    assert len(done) > 1
    ground.agree()


def test_a_value_that_the_target_cannot_index(ground: Ground) -> None:
    """What the target itself refuses is told as such, and is no fault of this program."""
    ground.app.execute("UPDATE Service SET name = hex(randomblob(9000)) WHERE id = 'a'")
    with pytest.raises(StepFailed, match="target refuses") as caught:
        ground.follow()
    assert "SQLSTATE 54000" in caught.value.why
