"""What somebody changes in the target after a migration, `verify` finds and names."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from support import Program

from zenni_tui.sandbox.server import Server

SOURCE = """
CREATE TABLE room (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, active BOOLEAN NOT NULL, photo BLOB NOT NULL
);
CREATE TABLE booking (
  room INTEGER NOT NULL, slot INTEGER NOT NULL, at DATETIME NOT NULL, note TEXT,
  CONSTRAINT booking_pkey PRIMARY KEY (room, slot),
  CONSTRAINT booking_room_fkey FOREIGN KEY (room) REFERENCES room (id)
);
CREATE UNIQUE INDEX booking_open ON booking (room) WHERE note IS NULL;
INSERT INTO room (name, active, photo) VALUES ('Kuusi', 1, x'00ff10'), ('Leppä', 0, x'01');
INSERT INTO booking VALUES (1, 1, 1700000000123, NULL), (2, 1, 1700000000456, 'window');
"""
PRISMA = """
datasource db {
  provider = "sqlite"
  url      = "file:./app.db"
}
model room {
  id Int @id @default(autoincrement())
  name String
  active Boolean
  photo Bytes
  bookings booking[]
}
model booking {
  room Int
  slot Int
  at DateTime
  note String?
  of room @relation(fields: [room], references: [id], onDelete: NoAction, onUpdate: NoAction)
  @@id([room, slot])
}
"""


@dataclass(frozen=True)
class Change:
    """A change, the statement that takes it back, and the words by which the verifier has to name it."""

    made: str
    taken_back: str
    named: tuple[str, ...]


_REKEY = "ALTER TABLE booking DROP CONSTRAINT booking_room_fkey, ADD CONSTRAINT booking_room_fkey"
CHANGES = {
    "a dropped NOT NULL": Change(
        "ALTER TABLE room ALTER name DROP NOT NULL",
        "ALTER TABLE room ALTER name SET NOT NULL",
        ("column room.name", "NOT NULL"),
    ),
    "a lost partial WHERE": Change(
        "DROP INDEX booking_open; CREATE UNIQUE INDEX booking_open ON booking (room)",
        "DROP INDEX booking_open; CREATE UNIQUE INDEX booking_open ON booking (room) WHERE note IS NULL",
        ("index booking_open", "IS NULL", "all rows"),
    ),
    "key columns swapped": Change(
        "ALTER TABLE booking DROP CONSTRAINT booking_pkey, ADD CONSTRAINT booking_pkey PRIMARY KEY (slot, room)",
        "ALTER TABLE booking DROP CONSTRAINT booking_pkey, ADD CONSTRAINT booking_pkey PRIMARY KEY (room, slot)",
        ("primary key of booking", "(room, slot)", "(slot, room)"),
    ),
    "a sequence one too low": Change(
        "SELECT setval('room_id_seq', 1)",
        "SELECT setval('room_id_seq', 2)",
        ("sequence room_id_seq", "next value 3", "next value 2"),
    ),
    "a sequence no longer owned": Change(
        "ALTER SEQUENCE room_id_seq OWNED BY NONE",
        "ALTER SEQUENCE room_id_seq OWNED BY room.id",
        ("sequence room_id_seq", "owned by"),
    ),
    "a BOOLEAN turned INTEGER": Change(
        "ALTER TABLE room ALTER active TYPE integer USING active::integer",
        "ALTER TABLE room ALTER active TYPE boolean USING active::boolean",
        ("column room.active", "boolean", "integer"),
    ),
    "a TIMESTAMP turned TEXT": Change(
        "ALTER TABLE booking ALTER at TYPE text",
        "ALTER TABLE booking ALTER at TYPE timestamp(3) USING at::timestamp(3)",
        ("column booking.at", "timestamp(3)", "text"),
    ),
    "a NOT VALID foreign key": Change(
        f"{_REKEY} FOREIGN KEY (room) REFERENCES room (id) NOT VALID",
        f"{_REKEY} FOREIGN KEY (room) REFERENCES room (id)",
        ("foreign key booking_room_fkey", "NOT VALID"),
    ),
    "one bit in one BLOB": Change(
        "UPDATE room SET photo = set_bit(photo, 3, 1) WHERE id = 1",
        "UPDATE room SET photo = set_bit(photo, 3, 0) WHERE id = 1",
        ("room", "key 1", "column photo"),
    ),
    "one millisecond in one date": Change(
        "UPDATE booking SET at = at + interval '1 millisecond' WHERE room = 2",
        "UPDATE booking SET at = at - interval '1 millisecond' WHERE room = 2",
        ("booking", "column at", ".457"),
    ),
    "one trailing space": Change(
        "UPDATE room SET name = name || ' ' WHERE id = 2",
        "UPDATE room SET name = trim(name) WHERE id = 2",
        ("room", "column name", "'Leppä '"),
    ),
}


@dataclass(frozen=True)
class Kept:
    """A rehearsal that was kept, and how to change its target and verify it again."""

    program: Program
    conninfo: dict[str, str]

    def change(self, statements: str) -> None:
        """Carry out statements as somebody else would."""
        with psycopg.connect(**self.conninfo, autocommit=True) as target:
            target.execute(statements.encode())

    def verify(self) -> tuple[int, str]:
        """Verify and return exit code and narration."""
        outcome = self.program.run("verify", environment={"ZENNI_TARGET_URL": make_conninfo("", **self.conninfo)})
        return outcome.code, outcome.narration


@pytest.fixture(scope="module")
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Kept]:
    """Yield a kept rehearsal, with a Prisma schema or with the file's own declarations."""
    home = tmp_path_factory.mktemp(request.param)
    path: Path = home / "app.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(SOURCE)
    if request.param == "prisma":
        (home / "schema.prisma").write_text(PRISMA)
    name = f"changed_{request.param}"
    server.create_database(name)
    kept = Kept(Program(home), server.conninfo(name))
    environment = {"ZENNI_TARGET_URL": make_conninfo("", **kept.conninfo)}
    outcome = kept.program.run("rehearse", "--source", str(path), "--keep", environment=environment)
    assert outcome.code == 0, outcome.narration
    yield kept
    server.drop_database(name)


PARTIAL = "a lost partial WHERE"
"""Prisma's language has no partial index, and only its counters are sequences that can be owned or not."""


@pytest.mark.parametrize(
    ("kept", "name"),
    [("declared", PARTIAL), *(("prisma", n) for n in CHANGES if n != PARTIAL)],
    indirect=["kept"],
)
def test_a_change_made_by_hand_is_named(kept: Kept, name: str) -> None:
    """Each change alone turns `passed` into `failed` with the changed thing's name."""
    change = CHANGES[name]
    kept.change(change.made)
    code, told = kept.verify()
    kept.change(change.taken_back)
    assert code == 1, told
    assert all(word in told for word in change.named), told
