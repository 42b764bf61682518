"""The application's settings files (`.env`): read as the application reads them, rewritten with all else left as it is.

Grammar: dotenv for Node (https://github.com/motdotla/dotenv, "Rules"), which Next.js and Prisma use. Some readers
expand `$NAME` in values and some don't, so a value with a dollar sign means two things and is refused.
"""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from zenni_tui.errors import StepFailed, UsageError
from zenni_tui.files import write_private

_SETTING = re.compile(
    r"""
    ^[\s\ufeff]*(?:export\s+)?(?P<name>[A-Za-z0-9_.-]+)(?:\s*=|:\s)[^\S\r\n]*
    (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\r\n]*)
    [^\S\r\n]*(?:\#[^\r\n]*)?(?=\r?$)
    """,
    re.MULTILINE | re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BARE = re.compile(r"""[^\s#'"`\\]+""")
_TWICE_MEANT = re.compile(r"[$\r\n\0]")
_QUOTES = ('"', "'", "`")


def settings(text: str) -> dict[str, str]:
    """Return the settings of a file's text; of a name that stands twice the last one holds."""
    return {m["name"]: _meaning(m["value"].strip()) for m in _SETTING.finditer(text)}


def _meaning(written: str) -> str:
    written = re.sub(r"\r\n?", "\n", written)
    quote = written[:1]
    closed = quote in _QUOTES and len(written) > 1 and written.endswith(quote)
    inner = written[1:-1] if closed else written
    return inner.replace("\\n", "\n").replace("\\r", "\r") if quote == '"' else inner


def changed(text: str, wanted: Mapping[str, str]) -> str:
    """Return a file's text with some settings changed, or added at its end; raises UsageError for unwritable ones."""
    places = {m["name"]: m for m in _SETTING.finditer(text) if m["name"] in wanted}
    for name, place in sorted(places.items(), key=lambda item: -item[1].start("value")):
        old = place["value"].rstrip()
        start = place.start("value")
        text = text[:start] + _written(name, wanted[name], old[:1]) + text[start + len(old) :]
    new = [f"{name}={_written(name, value, '')}" for name, value in wanted.items() if name not in places]
    return text + _appendix(text, new)


def _appendix(text: str, lines: list[str]) -> str:
    if not lines:
        return ""
    end = "\r\n" if "\r\n" in text else "\n"
    return ("" if not text or text.endswith("\n") else end) + end.join([*lines, ""])


def _written(name: str, value: str, usual: str) -> str:
    """Return a value as it stands in the file, in the quotes that stood there if they can hold it."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(f"{name!r} can't be the name of a setting.", why="A name has letters, digits and underscores.")
    if _TWICE_MEANT.search(value):
        raise UsageError(
            f"The value of {name} holds a dollar sign, a line end or a NUL.",
            why="Readers of such a file don't agree on what those mean.",
            next_step="In a URL write them percent-encoded: %24 for the dollar sign.",
        )
    if usual not in _QUOTES and _BARE.fullmatch(value):
        return value
    for quote in (usual, *_QUOTES):
        if quote in _QUOTES and quote not in value and not (quote == '"' and "\\" in value):
            return f"{quote}{value}{quote}"
    raise UsageError(
        f"The value of {name} holds every kind of quote.", why="No reader of such a file could tell its end."
    )


def read(path: Path) -> dict[str, str]:
    """Return a file's settings; raises StepFailed when it can't be read."""
    return settings(text(path))


def text(path: Path) -> str:
    """Return a file's text; raises StepFailed when it can't be read."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "It is not UTF-8."
        raise StepFailed(
            "The application's settings can't be read.",
            where=str(path),
            why=why or "",
            next_step="Mend the file or its rights, or name another in [application] env_files.",
        ) from None


def writable(path: Path) -> None:
    """Make sure that a file can be replaced, by making and deleting one beside it; raises StepFailed."""
    try:
        place = path.resolve(strict=True)
        scratch = place.with_name(f".{place.name}.{os.getpid()}")
        write_private(scratch, b"")
        scratch.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def rewrite(path: Path, wanted: Mapping[str, str], backup: Path) -> None:
    """Change settings in a file, having written its old text to `backup` (0600); what is read back is what was wanted.

    Comments, order, quotes, `export`, line ends, a symlink, mode and owner stay. A backup that is there already is
    kept: it is the older. Raises StepFailed, with the file as it was, and UsageError.
    """
    old = text(path)
    new = changed(old, wanted)
    found = settings(new)
    if any(found.get(name) != value for name, value in wanted.items()):
        raise StepFailed(
            "The application's settings could not be written so that they read back the same.",
            where=str(path),
            next_step="Change them by hand, and mend the line that the program stumbles over.",
        )
    try:
        if not backup.exists():
            write_private(backup, old.encode())
        _replace(path, new.encode())
    except OSError as error:
        raise _unwritable(path, error) from None


def restore(path: Path, backup: Path) -> None:
    """Give a file the text of its backup; raises StepFailed."""
    try:
        _replace(path, backup.read_bytes())
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> StepFailed:
    return StepFailed(
        "The application's settings can't be written.",
        where=str(error.filename or path),
        why=error.strerror or str(error),
        next_step="Mend the rights of the file and its folder, or run as the file's owner; it is as it was.",
    )


def _replace(path: Path, data: bytes) -> None:
    """Put new content in a file's place in one rename, behind a symlink too, with its mode and owner."""
    place = path.resolve(strict=True)
    before = place.stat()
    scratch = place.with_name(f".{place.name}.{os.getpid()}")
    write_private(scratch, data)
    try:
        if (before.st_uid, before.st_gid) != (scratch.stat().st_uid, scratch.stat().st_gid):
            os.chown(scratch, before.st_uid, before.st_gid)
        scratch.chmod(stat.S_IMODE(before.st_mode))
        scratch.replace(place)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
