"""A patch that `git apply` takes: what changes in a project's files, and which files move."""

import difflib
import re
from collections.abc import Iterable, Iterator

from zenni_tui.model.record import Record

_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f]+')
_HEADERS = 2
"""The lines of a unified diff that name its files."""


class Change(Record, frozen=True):
    """A file that changes; `before` is None for a new one. Paths are relative to the project, with slashes."""

    path: str
    before: str | None
    after: str
    why: str


class Move(Record, frozen=True):
    """A file that moves as it is."""

    path: str
    to: str


def patch(changes: Iterable[Change], moves: Iterable[Move], prefix: str = "") -> str:
    """Return the patch; `prefix` is the project's place in its repository, empty or with a slash at its end."""
    moved = (f"{_head(prefix, m.path, m.to)}similarity index 100%\n{_renamed(prefix, m)}" for m in moves)
    changed = (f"{_head(prefix, c.path, c.path)}{''.join(_body(prefix, c))}" for c in changes)
    return "".join((*moved, *changed))


def _head(prefix: str, old: str, new: str) -> str:
    return f"diff --git {_named(f'a/{prefix}{old}')} {_named(f'b/{prefix}{new}')}\n"


def _renamed(prefix: str, move: Move) -> str:
    return f"rename from {_named(prefix + move.path)}\nrename to {_named(prefix + move.to)}\n"


def _body(prefix: str, change: Change) -> Iterator[str]:
    old, new = _named(f"a/{prefix}{change.path}"), _named(f"b/{prefix}{change.path}")
    if change.before is None:
        yield "new file mode 100644\n"
        old = "/dev/null"
    before, after = _lines(change.before or ""), _lines(change.after)
    # A tab ends a name that has spaces, as git writes it.
    tail = "\t" if " " in change.path else ""
    for number, line in enumerate(difflib.unified_diff(before, after, old, new)):
        if number < _HEADERS:
            yield f"{line[:-1]}{tail}\n"
        else:
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; only a line feed ends one, as git sees it."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def _named(path: str) -> str:
    """Return a name as git writes it in a patch (git-diff(1), "core.quotePath")."""
    if _PLAIN.fullmatch(path):
        return path
    return '"' + re.sub(r'["\\\x00-\x1f\x7f]', lambda m: f"\\{ord(m[0]):03o}", path) + '"'
