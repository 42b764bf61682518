"""Traps of dates and times; the expected instants were reckoned by hand or by `date -u`."""

from traps.target import Check, has_types, never_offered, sees, told_or
from traps.words import Trap, Want, warn


def _at(table: str, *texts: str | None) -> Check:
    return sees(f"SELECT at::text FROM {table} ORDER BY id", *((t,) for t in texts))


PASSING = (
    Trap(
        "instant/milliseconds",
        """CREATE TABLE dms (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dms VALUES (1, 1700000000123), (2, -86400000), (3, 0), (4, NULL);""",
        checks=(
            _at(
                "dms",
                "2023-11-14 22:13:20.123",
                "1969-12-31 00:00:00",
                "1970-01-01 00:00:00",
                None,
            ),
            has_types("dms", at="timestamp(3) without time zone"),
        ),
    ),
    Trap(
        "instant/every_iso_form",
        """CREATE TABLE diso (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO diso VALUES (1, '2024-02-29'), (2, '2024-02-29 12:34'), (3, '2024-02-29 12:34:56'),
            (4, '2024-02-29T12:34:56.789'), (5, '2024-02-29T12:34:56.7'), (6, '1582-10-10 00:00:00'),
            (7, '0001-01-01');""",
        checks=(
            _at(
                "diso",
                "2024-02-29 00:00:00",
                "2024-02-29 12:34:00",
                "2024-02-29 12:34:56",
                "2024-02-29 12:34:56.789",
                "2024-02-29 12:34:56.7",
                "1582-10-10 00:00:00",
                "0001-01-01 00:00:00",
            ),
        ),
        may=("date_zone_assumed",),
    ),
    Trap(
        "instant/zones",
        """CREATE TABLE dz (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dz VALUES (1, '2024-02-29T12:34:56Z'), (2, '2024-02-29 12:34:56.000+00:00'),
            (3, '2024-02-29T00:30:00+02:00'), (4, '2024-12-31T23:30:00-05:30'), (5, '2024-02-29T12:34:56+0200');""",
        checks=(
            _at(
                "dz",
                "2024-02-29 12:34:56",
                "2024-02-29 12:34:56",
                "2024-02-28 22:30:00",
                "2025-01-01 05:00:00",
                "2024-02-29 10:34:56",
            ),
        ),
    ),
    Trap(
        "instant/zone_in_some",
        """CREATE TABLE dzs (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dzs VALUES (1, '2024-06-01T12:00:00+02:00'), (2, '2024-06-01 12:00:00');""",
        (warn("date_zone_assumed", "dzs", "at"),),
        (_at("dzs", "2024-06-01 10:00:00", "2024-06-01 12:00:00"),),
    ),
    Trap(
        "instant/numbers_and_texts",
        """CREATE TABLE dmix (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dmix VALUES (1, 1709210096789), (2, '2024-02-29T12:34:56.789Z'), (3, '2024-02-29 12:34:56.789');""",
        checks=(_at("dmix", *["2024-02-29 12:34:56.789"] * 3),),
        may=("date_zone_assumed",),
    ),
    Trap(
        "instant/julian_days",
        """CREATE TABLE dj (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dj VALUES (1, 2460370.024263761), (2, 2440587.5), (3, 2460000);""",
        checks=(_at("dj", "2024-02-29 12:34:56.389", "1970-01-01 00:00:00", "2023-02-24 12:00:00"),),
        may=("date_ambiguous",),
    ),
    Trap(
        "instant/microseconds",
        """CREATE TABLE dus (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dus VALUES (1, 1700000000123000), (2, 1709210096000000);""",
        checks=(_at("dus", "2023-11-14 22:13:20.123", "2024-02-29 12:34:56"),),
        may=("date_ambiguous",),
    ),
    Trap(
        "instant/fractional_numbers",
        """CREATE TABLE df (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO df VALUES (1, 1700000000.25), (2, 1709210096.5);
        CREATE TABLE dfm (id INTEGER PRIMARY KEY, at REAL); INSERT INTO dfm VALUES (1, 1700000000.25);""",
        checks=(_at("df", "2023-11-14 22:13:20.25", "2024-02-29 12:34:56.5"), has_types("dfm", at="double precision")),
        may=("date_ambiguous",),
    ),
    Trap(
        "ambiguous/seconds_by_their_neighbours",
        """CREATE TABLE dn (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dn VALUES (1, 1700000000), (2, 1709210096), (3, '2024-03-01 00:00:00'),
            (4, '2023-01-01T00:00:00');""",
        (warn("date_ambiguous", "dn", "at"),),
        (_at("dn", "2023-11-14 22:13:20", "2024-02-29 12:34:56", "2024-03-01 00:00:00", "2023-01-01 00:00:00"),),
        ("date_zone_assumed",),
    ),
    Trap(
        "instant/beyond_four_digits",
        """CREATE TABLE dfar (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dfar VALUES (1, '+010000-01-01T00:00:00.000Z'), (2, '-000044-03-15T00:00:00Z'),
            (3, '+275760-09-13T00:00:00.000Z');""",
        checks=(_at("dfar", "10000-01-01 00:00:00", "0045-03-15 00:00:00 BC", "275760-09-13 00:00:00"),),
    ),
    Trap(
        "instant/last_microseconds",
        """CREATE TABLE dlast (id INTEGER PRIMARY KEY, at DATETIME, zoned DATETIME, UNIQUE (at, zoned));
        INSERT INTO dlast VALUES
            (1, '+294247-01-10T04:00:54.775806Z', '+294247-01-10T04:00:54.775806Z'),
            (2, '+294247-01-10T04:00:54.775807Z', '+294247-01-10T04:00:54.775807Z'),
            (3, '+294247-01-10T04:00:54.775808Z', '+294247-01-10T04:00:54.775808Z'),
            (4, '+294276-12-31T23:59:59.999999Z', '+294276-12-31T23:59:59.999999Z'),
            (5, '-004713-11-24T00:00:00Z', '-004713-11-24T00:00:00Z');""",
        checks=(
            _at(
                "dlast",
                "294247-01-10 04:00:54.775806",
                "294247-01-10 04:00:54.775807",
                "294247-01-10 04:00:54.775808",
                "294276-12-31 23:59:59.999999",
                "4714-11-24 00:00:00 BC",
            ),
            sees("SELECT DISTINCT at = zoned AT TIME ZONE 'UTC' FROM dlast", (True,)),
        ),
        casts={"dlast.at": "timestamp(6)", "dlast.zoned": "timestamptz(6)"},
    ),
    Trap(
        "instant/milliseconds_of_no_end",
        """CREATE TABLE dend (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dend VALUES (1, 1700000000123), (2, 253402300799999), (3, 253402300800000), (4, 0);""",
        (warn("date_ambiguous", "dend", "at", offers=("epoch:microseconds",)),),
        (
            _at(
                "dend",
                "2023-11-14 22:13:20.123",
                "9999-12-31 23:59:59.999",
                "10000-01-01 00:00:00",
                "1970-01-01 00:00:00",
            ),
        ),
    ),
    Trap(
        "instant/microseconds_since_1970",
        """CREATE TABLE dus0 (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO dus0 VALUES (1, 1700000000123000), (2, 0), (3, NULL);""",
        checks=(_at("dus0", "2023-11-14 22:13:20.123", "1970-01-01 00:00:00", None),),
    ),
    Trap(
        "date/days",
        """CREATE TABLE dd (id INTEGER PRIMARY KEY, at DATE);
        INSERT INTO dd VALUES (1, '2024-02-29'), (2, '1999-12-31'), (3, '2024-02-29 00:00:00'), (4, NULL);""",
        checks=(_at("dd", "2024-02-29", "1999-12-31", "2024-02-29", None), has_types("dd", at="date")),
        may=("date_zone_assumed",),
    ),
    Trap(
        "time/clocks",
        """CREATE TABLE dt (id INTEGER PRIMARY KEY, at TIME);
        INSERT INTO dt VALUES (1, '00:00'), (2, '23:59:59'), (3, '12:34:56.789');""",
        checks=(
            _at("dt", "00:00:00", "23:59:59", "12:34:56.789"),
            has_types("dt", at="time without time zone|time(3) without time zone"),
        ),
    ),
    Trap(
        "text_dates/stay_text",
        "CREATE TABLE dtext (id INTEGER PRIMARY KEY, at TEXT, n INTEGER);"
        " INSERT INTO dtext VALUES (1, '2024-02-30', 17e8);",
        checks=(has_types("dtext", at="text", n="bigint"),),
    ),
)


def _bad(name: str, value: str, code: str, choose: str = "type:text", **more: object) -> Trap:
    table = f"bad_{name}"
    make = f"""CREATE TABLE {table} (id INTEGER PRIMARY KEY, at {more.get("declared", "DATETIME")});
        INSERT INTO {table} VALUES (1, '{more.get("good", "2024-02-29 12:34:56.789")}'), (2, {value}), (3, NULL);"""
    offers = more.get("offers", ("type:text", "to_null", "quarantine"))
    want = Want(code, table, "at", 1, ("2",), offers=offers, choose=choose)  # type: ignore[arg-type]
    checks = (_at(table, "2024-02-29 12:34:56.789", None, None),) if choose == "to_null" else ()
    lossless = choose.startswith("type:")
    return Trap(f"bad_date/{name}", make, (want,), checks, ("date_zone_assumed", "mixed_classes"), compared=lossless)


BLOCKED = (
    _bad("february_30", "'2024-02-30'", "date_impossible"),
    _bad("no_leap_year", "'2023-02-29 00:00:00'", "date_impossible", "to_null"),
    _bad("month_13", "'2023-13-01'", "date_impossible", "quarantine"),
    _bad("zeros", "'0000-00-00 00:00:00'", "date_impossible|date_out_of_range", "to_null"),
    _bad("year_0", "'0000-01-01 00:00:00'", "date_out_of_range|date_impossible"),
    _bad("hour_25", "'2023-01-01 25:00:00'", "time_impossible"),
    _bad("leap_second", "'2016-12-31T23:59:60Z'", "time_impossible"),
    _bad("american", "'12/31/2023'", "date_unreadable"),
    _bad("empty", "''", "date_unreadable", "to_null"),
    _bad("infinity", "'infinity'", "date_unreadable", "to_null"),
    _bad("now", "'now'", "date_unreadable"),
    _bad("blob", "x'00'", "date_unreadable", "to_null", offers=("to_null", "quarantine")),
    _bad("too_far", "'+300000-01-01T00:00:00Z'", "date_out_of_range"),
    _bad(
        "microseconds",
        "'2024-01-01 00:00:00.123456'",
        "date_too_fine",
        "type:timestamp(6)",
        offers=("type:timestamp(6)", "type:text"),
    ),
    _bad("nanoseconds", "'2024-01-01 00:00:00.123456789'", "date_too_fine", "type:text", offers=("type:text",)),
    _bad(
        "time_in_date",
        "'2024-01-01 12:00:00'",
        "date_has_time",
        "type:timestamp(6)",
        declared="DATE",
        good="2024-01-01",
        offers=("type:timestamp(", "type:text"),
    ),
    _bad("clock_24", "'24:00'", "time_impossible", declared="TIME", good="23:59"),
    _bad("clock_word", "'noon'", "time_unreadable", declared="TIME", good="23:59"),
    Trap(
        "ambiguous/seconds_or_milliseconds",
        """CREATE TABLE amb (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO amb VALUES (1, 1700000000), (2, 1700000060);""",
        (
            Want(
                "date_ambiguous",
                "amb",
                "at",
                severity="error|warning",
                offers=("epoch:seconds", "epoch:milliseconds"),
                choose="epoch:milliseconds",
            ),
        ),
        (_at("amb", "1970-01-20 16:13:20", "1970-01-20 16:13:20.06"),),
    ),
    Trap(
        "bad_date/finer_than_any_type",
        """CREATE TABLE finest (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO finest VALUES (1, '2024-01-01 00:00:00.123456'), (2, '2024-01-01 00:00:00.123456789');""",
        (Want("date_too_fine", "finest", "at", 2, ("1", "2"), offers=("type:text",), choose="type:text"),),
        (never_offered("date_too_fine", "finest", "type:timestamp(6)"),),
        ("date_zone_assumed", "mixed_classes"),
    ),
    Trap(
        "ambiguous/a_year_among_dates",
        """CREATE TABLE amb_year (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO amb_year VALUES (1, '2024-02-29 12:34:56'), (2, '2023');""",
        (
            Want(
                "date_ambiguous|date_unreadable",
                "amb_year",
                "at",
                severity="error",
                offers=("epoch:seconds",),
                choose="epoch:seconds",
            ),
        ),
        (_at("amb_year", "2024-02-29 12:34:56", "1970-01-01 00:33:43"),),
        ("date_zone_assumed",),
    ),
    Trap(
        "ambiguous/both_in_one_column",
        """CREATE TABLE amb2 (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO amb2 VALUES (1, 1700000000), (2, 1700000000000), (3, 1700000060000);""",
        (
            Want(
                "date_ambiguous",
                "amb2",
                "at",
                severity="error",
                offers=("epoch:milliseconds",),
                choose="epoch:milliseconds",
            ),
        ),
        (_at("amb2", "1970-01-20 16:13:20", "2023-11-14 22:13:20", "2023-11-14 22:14:20"),),
    ),
    Trap(
        "ambiguous/milliseconds_after_5138",
        """CREATE TABLE amb3 (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO amb3 VALUES (1, 1700000000123), (2, 300000000000000), (3, 9224318015999999), (4, 0);""",
        (
            Want(
                "date_ambiguous",
                "amb3",
                "at",
                severity="error",
                offers=("epoch:milliseconds", "epoch:microseconds"),
                choose="epoch:milliseconds",
            ),
        ),
        (
            _at(
                "amb3",
                "2023-11-14 22:13:20.123",
                "11476-08-15 05:20:00",
                "294276-12-31 23:59:59.999",
                "1970-01-01 00:00:00",
            ),
        ),
    ),
    Trap(
        "ambiguous/seconds_since_2001",
        """CREATE TABLE cocoa (id INTEGER PRIMARY KEY, at TIMESTAMP);
        INSERT INTO cocoa VALUES (1, 635317200), (2, 635403600);""",
        (
            Want(
                "date_ambiguous",
                "cocoa",
                "at",
                severity="error|warning",
                offers=("epoch:seconds",),
                choose="epoch:seconds",
            ),
        ),
        (_at("cocoa", "1990-02-18 05:00:00", "1990-02-19 05:00:00"),),
    ),
    Trap(
        "ambiguous/real_seconds",
        """CREATE TABLE reals (id INTEGER PRIMARY KEY, at TIMESTAMP);
        INSERT INTO reals VALUES (1, 702917115.25), (2, 706304436.75);""",
        (
            Want(
                "date_ambiguous",
                "reals",
                "at",
                severity="error|warning",
                offers=("epoch:seconds",),
                choose="epoch:seconds",
            ),
        ),
        (_at("reals", "1992-04-10 14:45:15.25", "1992-05-19 19:40:36.75"),),
    ),
    Trap(
        "zone/chosen",
        """CREATE TABLE zoned (id INTEGER PRIMARY KEY, at DATETIME);
        INSERT INTO zoned VALUES (1, '2024-06-01 12:00:00'), (2, '2024-01-01 12:00:00'),
            (3, '2024-06-01T12:00:00Z');""",
        (
            Want(
                "date_zone_assumed",
                "zoned",
                "at",
                severity="error|warning|info",
                offers=("zone:",),
                choose="zone:Europe/Helsinki",
            ),
        ),
        (told_or("never", "zoned", _at("zoned", "2024-06-01 09:00:00", "2024-01-01 10:00:00", "2024-06-01 12:00:00")),),
        compared=False,
    ),
)
