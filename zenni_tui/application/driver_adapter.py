"""Prisma's driver adapter in the application's code: SQLite's replaced by PostgreSQL's, where a client is made with it.

Adapters: https://www.prisma.io/docs/orm/overview/databases/database-drivers.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

PACKAGE = "@prisma/adapter-pg"
CLASS = "PrismaPg"
SQLITE = {
    "@prisma/adapter-better-sqlite3": ("PrismaBetterSqlite3", "PrismaBetterSQLite3"),
    "@prisma/adapter-libsql": ("PrismaLibSql", "PrismaLibSQL"),
}
"""SQLite's adapters by package, each with the names of its class through Prisma's versions."""

DRIVERS = ("better-sqlite3", "@types/better-sqlite3", "@libsql/client")
"""Packages that are needed no more, unless code imports them."""

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|[()\[\]{}]""", re.DOTALL
)
_VARIABLE = re.compile(r"""process\.env(?:\.\w+|\[\s*(?:"\w+"|'\w+')\s*\])!?""")
_IMPORTED = r"""(?:from|import|require\(|import\()\s*["']{package}["']"""


class Adapted(NamedTuple):
    """A file's new text, and what a person should look at, each with its line."""

    text: str
    notes: tuple[tuple[int, str], ...]


def imports(text: str, package: str) -> bool:
    """Return whether a file's text imports a package, or a part of it."""
    return re.search(_IMPORTED.format(package=re.escape(package) + r"(?:/[^\"']*)?"), text) is not None


def mentions(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of SQLite's packages that a file names without importing them, as settings of a build do."""
    for name in (*SQLITE, *DRIVERS):
        found = None if imports(text, name) else re.search(rf"""["'`]{re.escape(name)}["'`]""", text)
        if found is not None:
            yield text.count("\n", 0, found.start()) + 1, name


def adapted(text: str, namespace: str, variable: str) -> Adapted | None:
    """Return a file with PostgreSQL's adapter, None when it has none of SQLite's.

    `namespace` is the target's schema, `variable` the setting that names the database where the file names none.
    """
    package = next((p for p in SQLITE if imports(text, p)), None)
    if package is None:
        return None
    alias = _alias(text, package)
    notes: list[tuple[int, str]] = []
    for start, end in reversed(list(_calls(text, alias))):
        variable, note = _connection(text[start:end], variable)
        line = text.count("\n", 0, start) + 1
        notes += [(line, note)] if note else []
        options = "" if namespace == "public" else f", {{ schema: {_quoted(namespace)} }}"
        text = f"{text[:start]}({{ connectionString: {variable} }}{options}){text[end:]}"
    text = re.sub(rf"""(["']){re.escape(package)}(?:/\w+)?\1""", rf"\1{PACKAGE}\1", text)
    for name in SQLITE[package]:
        text = re.sub(rf"\b{name}\b", CLASS, text)
    left = [d for d in DRIVERS if imports(text, d)]
    notes += [(_line(text, d), f"{d} is still imported: remove what made the SQLite connection") for d in left]
    return Adapted(text, tuple(sorted(notes)))


def _alias(text: str, package: str) -> str:
    """Return the name by which the adapter's class goes in a file."""
    names = "|".join(SQLITE[package])
    found = re.search(rf"\b(?:{names})\s*(?:as|:)\s+(\w+)", text)
    return found[1] if found else rf"(?:{names})"


def _calls(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where the arguments of each `new NAME(…)` begin and end, brackets included."""
    for made in re.finditer(rf"\bnew\s+(?:\w+\.)*{name}\s*(?=\()", text):
        depth = 0
        for token in _TOKEN.finditer(text, made.end()):
            depth += (token[0] in "([{") - (token[0] in ")]}")
            if depth == 0 and token[0] == ")":
                yield made.end(), token.end()
                break


def _connection(arguments: str, variable: str) -> tuple[str, str]:
    """Return what names the database, and a word about what was there if it named a file by itself."""
    found = _VARIABLE.search(arguments)
    shown = " ".join(arguments[1:-1].split())
    if found is None:
        return f"process.env.{variable}", f"it was made with {shown}; now {variable} names the database"
    others = arguments.replace(found[0], "").strip("(){} \t\r\n,")
    return found[0], "" if others in ("url:", "") else f"it was made with {shown}; see whether any of that is missed"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _line(text: str, package: str) -> int:
    return text.count("\n", 0, text.index(package)) + 1
