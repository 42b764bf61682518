"""How the watch writes figures."""

_KILO = 1_000
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def size(count: float) -> str:
    """Return a count of bytes in decimal units."""
    for unit in ("B", "kB", "MB"):
        if abs(count) < _KILO:
            return f"{count:.0f} {unit}"
        count /= _KILO
    return f"{count:.1f} GB"


def span(seconds: float) -> str:
    """Return a duration in its largest sensible unit."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds:.0f} s"


def share(fraction: float) -> str:
    """Return a share in per cent."""
    return f"{fraction * 100:.1f} %" if fraction < 1 else f"{fraction * 100:.0f} %"


def things(number: int, one: str, many: str = "") -> str:
    """Return a number of things: 1 index, 2 indexes."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def named(*parts: str) -> str:
    """Return names as an operator reads them: "public"."Booking"."serviceId"."""
    return ".".join(f'"{part}"' for part in parts)
