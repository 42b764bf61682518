"""The rows of the sample database: the same for the same seed, written in every form Prisma has left behind."""

import random
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import cache

from . import sample_words as words
from .helsinki import DAY, HOUR, instant_of, iso, plain, to_instant, to_wall

MINUTE = 60_000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PAIRS = tuple(a + b for a in DIGITS for b in DIGITS)

FIRST_CREATED = instant_of(datetime(2023, 9, 1))  # noqa: DTZ001 - UTC, as instant_of says
LAST_CREATED = instant_of(datetime(2026, 11, 1))  # noqa: DTZ001 - as above
FAR_AHEAD = 5 * 365 * DAY
"""The latest bookings lie years ahead, so that the sample has upcoming ones whenever it is made."""
MIGRATED = instant_of(datetime(2023, 8, 31, 12))  # noqa: DTZ001 - as above

DST_EDGES = tuple(
    instant_of(datetime.fromisoformat(text))
    for text in (
        "2024-03-31T00:59:59.999",
        "2024-03-31T01:00:00",
        "2024-10-27T00:30:00",
        "2024-10-27T00:59:59.999",
        "2024-10-27T01:00:00",
        "2024-10-27T01:30:00",
        "2025-03-30T00:59:59.999",
        "2025-03-30T01:00:00",
        "2025-10-26T00:59:59.999",
        "2025-10-26T01:00:00",
        "2026-03-28T22:00:00",
        "2026-10-24T21:00:00",
    )
)
"""In UTC: Helsinki's clock jumps at 01:00 UTC; 00:30 and 01:30 in October are the same wall-clock time."""

ODD = len(words.ODD_CUSTOMERS)

Row = tuple[object, ...]
Customer = tuple[str, str, str | None]


class Sample:
    """The rows of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - sample data, and the same each time
        self._host = self._piece() + self._piece()
        self._pieces = [self._piece() + self._piece() for _ in range(4096)]
        self._customers = self._make_customers()
        self._notes: list[str | None] = [None] * 96
        self._notes += [*words.PLAIN_NOTES * 8, *words.ODD_NOTES * 2]
        self._service_ids = [self.key(MIGRATED + MINUTE * i, i) for i in range(len(words.SERVICES))]

    def key(self, instant: int, number: int) -> str:
        """Return a key in the form of cuid: c, time, counter, host, random, in base 36."""
        bits = self._random.getrandbits(24)
        tail = self._pieces[bits & 4095] + self._pieces[bits >> 12]
        return f"c{_base36(instant // 1679616)}{_base36(instant % 1679616)}{_base36(number)}{self._host}{tail}"

    def migrations(self, name: str, checksum: str) -> Iterator[Row]:
        """Yield the row that `prisma migrate deploy` leaves."""
        bits = self._random.getrandbits(128)
        digits = f"{bits:032x}"
        key = "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "8" + digits[17:20], digits[20:]))
        yield key, checksum, iso(MIGRATED + 184), name, None, None, iso(MIGRATED), 1

    def services(self) -> Iterator[Row]:
        """Yield the services; "order" is the twelfth column."""
        for i, (name, english, minutes, price, active, order) in enumerate(words.SERVICES):
            text = f'{name}: kuvaus\n- rivi 2\n\t- sisennys ääkkösin "lainaus" \\ kenoviiva 🌿' if i % 3 else ""
            texts = (name, english, name, text, f"{english} \u2013 it's good", f"{name} \u2013 {minutes} min")
            created = MIGRATED + MINUTE * i
            updated = created if i % 4 else iso(created + DAY)
            yield self._service_ids[i], *texts, minutes, price, "EUR", active, order, created, updated

    def tags(self) -> Iterator[Row]:
        """Yield the tags."""
        yield from words.TAGS

    def services_tags(self) -> Iterator[Row]:
        """Yield which service has which tags."""
        tags = [number for number, _ in words.TAGS]
        for i, service in enumerate(self._service_ids):
            for tag in sorted({tags[i % len(tags)], tags[(i * 2 + 3) % len(tags)]}):
                yield service, tag

    def availability(self) -> Iterator[Row]:
        """Yield the opening hours, Sunday first."""
        for day, hours in enumerate(words.HOURS):
            created = MIGRATED + HOUR + day
            yield self.key(created, 100 + day), day, *hours, all(hours), created, created

    def blocked_dates(self) -> Iterator[Row]:
        """Yield the days without appointments: midnights in Helsinki, in the three forms of DateTime."""
        forms = (int, iso, plain)
        for i, (day, reason) in enumerate(words.HOLIDAYS):
            write = forms[i % 3]
            created = MIGRATED + 2 * HOUR + i
            midnight = to_instant(instant_of(datetime.fromisoformat(day)))
            yield self.key(created, 200 + i), write(midnight), reason, write(created), write(created)

    def bookings(self, count: int) -> Iterator[Row]:
        """Yield the bookings, in the order of their keys; the hard cases stand among the first hundred."""
        step = (LAST_CREATED - FIRST_CREATED) / max(count, 1)
        ahead = count * 4 // 5
        bits_of, key = self._random.getrandbits, self.key
        for i in range(count):
            bits = bits_of(48)
            created = FIRST_CREATED + int(i * step) + (bits & 511)
            lead = (1 + (bits >> 9 & 31)) * DAY
            if i >= ahead:
                lead += FAR_AHEAD * (i - ahead) // (count - ahead)
            service = bits >> 14 & 7
            start, midnight = self._slot(i, created + lead, bits >> 17 & 31)
            end = start + words.SERVICES[service][2] * MINUTE
            yield (
                key(created, i),
                self._service_ids[service],
                *self._customers[(bits >> 22) % len(self._customers) if i >= ODD else i],
                *_written(i, midnight, start, end),
                words.STATUSES[bits >> 34 & (7 if i < ahead else 1)],
                self._note(i, bits >> 37),
                words.LANGUAGES[bits >> 14 & 7],
                f"canc-{i}-{self._pieces[bits >> 17 & 4095]}" if bits & 3 else None,
                *_stamped(i, created, created + (bits & 0xFFFC) * 1000 if bits & 4 else created),
            )

    def _slot(self, i: int, day: int, quarter: int) -> tuple[int, int]:
        """Return the start of an appointment, and midnight before it, both in Helsinki."""
        if i < len(DST_EDGES):
            return DST_EDGES[i], _midnight(to_wall(DST_EDGES[i]) // DAY)
        midnight = _midnight(day // DAY)
        return _morning(day // DAY) + quarter * 15 * MINUTE, midnight

    def _note(self, i: int, bits: int) -> str | None:
        if i < len(words.ODD_NOTES):
            return words.ODD_NOTES[i]
        return self._notes[bits % len(self._notes)]

    def _piece(self) -> str:
        return PAIRS[self._random.getrandbits(20) % len(PAIRS)]

    def _make_customers(self) -> list[Customer]:
        pick = self._random.choice
        names = [f"{pick(words.FIRST_NAMES)} {pick(words.LAST_NAMES)}" for _ in range(3000)]
        return [self._customer(i, name) for i, name in enumerate((*words.ODD_CUSTOMERS, *names))]

    def _customer(self, i: int, name: str) -> Customer:
        number = f"{self._random.randrange(10**7):07d}"
        forms = (f"+358 40 {number[:3]} {number[3:]}", f"040-{number}", f"040{number}", None, "")
        folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        user = re.sub(r"[^a-z]+", ".", folded).strip(".") or "asiakas"
        return name, f"{user}.{i}@{'esimerkki' if i % 7 else 'hyvä-olo'}.fi", forms[i % 10 % 5]


def _base36(number: int) -> str:
    """Return the last four digits of a number in base 36."""
    return PAIRS[number // 1296 % 1296] + PAIRS[number % 1296]


@cache
def _midnight(day: int) -> int:
    return to_instant(day * DAY)


@cache
def _morning(day: int) -> int:
    return to_instant(day * DAY + 9 * HOUR)


def _written(i: int, *instants: int) -> tuple[int | str, ...]:
    """Write a booking's times as the program of its day did: mostly integers, some ISO text, few without zone."""
    if not (i + 9) % 16:
        return tuple(iso(t) for t in instants)
    if not (i + 92) % 97:
        return tuple(plain(t) for t in instants)
    return instants


def _stamped(i: int, created: int, updated: int) -> tuple[int | str, int | str]:
    """Write createdAt and updatedAt; SQLite's own default wrote some of the first."""
    first: int | str = created
    if not (i + 20) % 23:
        first = plain(created)
    elif not (i + 9) % 16:
        first = iso(created)
    return first, updated if (i + 2) % 3 else iso(updated)
