"""The application's package.json and lock files: which Prisma they name, and dependencies changed in place."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_PACKAGES = ("prisma", "@prisma/client")
_KINDS = ("dependencies", "devDependencies")
_LEVELS = 4
_MAJOR = re.compile(r"[^\d]*(\d+)")
_LOCKED = (
    ("pnpm-lock.yaml", r"""^\s+['"]?/?{name}@(\d+)\."""),
    ("yarn.lock", r"""^"?{name}@[^\n]*:\n\s+version:? "?(\d+)\."""),
    ("bun.lock", r"""^\s*"{name}": \["{name}@(\d+)\."""),
)


def prisma_version(folder: Path) -> int | None:
    """Return the major version of Prisma that a project uses, None when nothing tells.

    What is locked or installed comes before the range that package.json asks for.
    """
    return next((v for v in _versions(folder) if v is not None), None)


def around(path: Path) -> int | None:
    """Return the major version of Prisma of the project that a file or folder lies in, None when nothing tells."""
    near = list(path.resolve().parents)[:_LEVELS]
    folder = next((f for f in near if (f / "package.json").is_file()), None)
    return prisma_version(folder) if folder is not None else None


def _versions(folder: Path) -> Iterator[int | None]:
    locked = _json(folder / "package-lock.json").get("packages")
    for name in _PACKAGES:
        entry = locked.get(f"node_modules/{name}") if isinstance(locked, dict) else None
        yield _major(entry.get("version") if isinstance(entry, dict) else None)
    for file, pattern in _LOCKED:
        text = _text(folder / file)
        for name in _PACKAGES:
            found = re.search(pattern.format(name=re.escape(name)), text, re.MULTILINE)
            yield int(found[1]) if found else None
    for name in _PACKAGES:
        yield _major(_json(folder / "node_modules" / name / "package.json").get("version"))
    asked = _json(folder / "package.json")
    for name in _PACKAGES:
        yield _major(next((v for v in (_named(asked, kind).get(name) for kind in _KINDS) if v), None))


def _major(version: object) -> int | None:
    found = _MAJOR.match(version) if isinstance(version, str) else None
    return int(found[1]) if found else None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _named(package: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = package.get(kind)
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def asked(text: str) -> dict[str, str]:
    """Return the ranges that a package.json's text asks for, by package; empty when it is none."""
    try:
        package = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(package, dict):
        return {}
    return {n: str(v) for kind in _KINDS for n, v in _named(package, kind).items()}


def replaced(text: str, old: str, new: str) -> str:
    """Return a package.json's text with one dependency in another's place, by the same range and indentation."""
    if new in asked(text):
        return without(text, old)
    return re.sub(rf'(?m)^(\s*)"{re.escape(old)}"(\s*:\s*")', rf'\1"{new}"\2', text)


def without(text: str, name: str) -> str:
    """Return a package.json's text without one dependency's line; where it was the last one the comma goes as well."""
    entry = rf'"{re.escape(name)}"\s*:\s*"[^"\n]*"'
    text = re.sub(rf"(?m)^[^\S\n]*{entry}\s*,[^\S\n]*\n", "", text)
    return re.sub(rf",?\s*\n[^\S\n]*{entry}[^\S\n]*(?=\n)", "", text)
