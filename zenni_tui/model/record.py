"""The base of everything that crosses a room's wall."""

import hashlib
from typing import TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True):
    """A frozen record that has exactly one JSON form."""


R = TypeVar("R")


def to_json(record: object) -> bytes:
    """Encode a record as one line of UTF-8 JSON."""
    return msgspec.json.encode(record)


def from_json(data: bytes | str, kind: type[R]) -> R:
    """Decode and check JSON against a record's type; raises `msgspec.ValidationError`."""
    return msgspec.json.decode(data, type=kind)


def digest(record: object) -> str:
    """Return the SHA-256 of a record's JSON form, in hexadecimal."""
    return hashlib.sha256(to_json(record)).hexdigest()
