"""Dumps of the new database: where they lie, the proof of each, and how many are kept."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from zenni_tui.errors import ZenniError
from zenni_tui.files import write_private
from zenni_tui.model.record import Record, from_json, to_json
from zenni_tui.sandbox import proof
from zenni_tui.target.connect import Target
from zenni_tui.target.ladder import Ground, pooler
from zenni_tui.users import user

from . import folders, ledger

DEED = "backup"
_END = ".dump"
_LAST = "last-proof.json"
_STAMP = "%Y%m%dT%H%M%SZ"


class LastProof(Record, frozen=True):
    """The newest proof of a place: when, in seconds since 1970 UTC, of which file, and what it showed."""

    at: float
    file: str
    words: str
    ok: bool


def place(named: str) -> Path:
    """Return the folder of all dumps, made with mode 0700 when missing."""
    return folders.private(Path(named).absolute() if named else folders.state_home() / "backups")


def new_file(folder: Path, database: str) -> Path:
    """Return a name for a dump made now, such as `bookings-20261122T031500Z.dump`."""
    return folder / f"{_stem(database)}-{datetime.now(UTC).strftime(_STAMP)}{_END}"


def _stem(database: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", database) or "database"


def take(target: Target, schema: str, file: Path, source: str) -> proof.Proved:
    """Dump the target into a file and prove it; the ledger notes how that ended. Raises as `proof` does."""
    with _noted(source, file) as proofs:
        asyncio.run(_looked_for_a_pooler(target, schema))
        taken = proof.take(target, schema, file)
        try:
            proofs.append(proof.prove(file, taken))
        except ZenniError:
            # Else it would be counted among those that are kept, and taken for one to rely on.
            file.rename(file.with_name(f"{file.name}.unproven"))
            raise
    return proofs[0]


def check(file: Path, source: str) -> proof.Proved:
    """Prove a dump that lies there already; the ledger notes how that ended. Raises as `proof` does."""
    taken = proof.facts_of(file)
    with _noted(source, file) as proofs:
        proofs.append(proof.prove(file, taken))
    return proofs[0]


async def _looked_for_a_pooler(target: Target, schema: str) -> None:
    """Raise NotReady for a pooler that shares sessions: what pg_dump sets there would reach others."""
    ground = Ground(target, schema, "backup")
    try:
        await pooler.look(ground)
    finally:
        ground.close()


@contextmanager
def _noted(source: str, file: Path) -> Iterator[list[proof.Proved]]:
    proofs: list[proof.Proved] = []
    try:
        yield proofs
    except ZenniError as error:
        _note(source, LastProof(time.time(), str(file), f"{error.what} {error.why}".strip(), ok=False))
        raise
    _note(source, LastProof(time.time(), str(file), proofs[0].words, ok=True))


def _note(source: str, last: LastProof) -> None:
    if source:
        ledger.note(source, DEED, user(), last.words, ok=last.ok)
        write_private(ledger.place(source).with_suffix(f".{_LAST}"), to_json(last))


def last(source: str) -> LastProof | None:
    """Return the newest proof of this source's new database, None when there is none."""
    try:
        return from_json(ledger.place(source).with_suffix(f".{_LAST}").read_bytes(), LastProof)
    except FileNotFoundError:
        return None


def thin(folder: Path, database: str, keep: int) -> tuple[Path, ...]:
    """Remove this database's oldest dumps but so many (0: none), and return them; only names of ours are looked at."""
    ours = re.compile(rf"{re.escape(_stem(database))}-\d{{8}}T\d{{6}}Z{re.escape(_END)}")
    dumps = sorted((f for f in folder.iterdir() if ours.fullmatch(f.name)), key=lambda f: f.name)
    gone = tuple(dumps[:-keep]) if keep else ()
    for file in gone:
        proof.remove(file)
    return gone
