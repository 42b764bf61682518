"""The source files of an application's project: which are read, and which are somebody else's or too large."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SCRIPTS = frozenset({".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"})
READ = SCRIPTS | {".py", ".sql"}

_OTHERS = frozenset({".vue", ".svelte", ".astro", ".go", ".rb", ".php", ".rs", ".java", ".kt", ".cs", ".ex", ".swift"})
"""Files of languages that hold SQL, too, and are not read."""

MOST_FILES = 10_000
MOST_BYTES = 32 << 20
LARGEST = 1 << 20
"""A source file that a person wrote is smaller; larger ones are bundles and dumps."""

_FOREIGN = frozenset(
    {
        "node_modules",
        "bower_components",
        "dist",
        "build",
        "out",
        "coverage",
        "vendor",
        "__pycache__",
        "site-packages",
        "venv",
        "env",
    }
)
_LONG_LINE = 2_000


@dataclass
class Sources:
    """Walks a project's folder; `passed_over` tells what was left out for its size, once it has been walked."""

    folder: Path
    passed_over: list[str] = field(default_factory=list)
    files: int = 0
    size: int = 0

    def read(self) -> Iterator[tuple[str, str]]:
        """Yield each file's path from the folder, with slashes, and its text; links are not followed."""
        others: Counter[str] = Counter()
        for path in self._paths(others):
            if self.files >= MOST_FILES or self.size >= MOST_BYTES:
                self.passed_over.append(f"everything after {self.files:,} files or {self.size >> 20} MB")
                return
            name = path.relative_to(self.folder).as_posix().encode(errors="backslashreplace").decode()
            text = self._text(path, name)
            if text is not None:
                self.files += 1
                self.size += len(text)
                yield name, text
        self.passed_over += [f"{n} files *{suffix}: their language is not read" for suffix, n in sorted(others.items())]

    def _paths(self, others: Counter[str]) -> Iterator[Path]:
        for place, folders, names in os.walk(self.folder):
            inside = Path(place)
            folders[:] = sorted(f for f in folders if not _foreign(inside / f))
            for name in sorted(names):
                path = inside / name
                others.update([path.suffix] if path.suffix in _OTHERS else [])
                if path.suffix in READ and not path.is_symlink() and path.is_file():
                    yield path

    def _text(self, path: Path, name: str) -> str | None:
        try:
            if path.stat().st_size > LARGEST:
                self.passed_over.append(f"{name}: larger than {LARGEST >> 20} MB")
                return None
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self.passed_over.append(f"{name}: can't be read as text ({type(error).__name__})")
            return None
        if path.suffix in SCRIPTS and len(text) > _LONG_LINE * (text.count("\n") + 1):
            self.passed_over.append(f"{name}: made by a bundler, not by a person")
            return None
        return text


def _foreign(folder: Path) -> bool:
    """Return whether a folder holds packages, what a build makes, Prisma's client, or migrations already applied."""
    if folder.name in _FOREIGN or folder.name.startswith(".") or folder.is_symlink():
        return True
    client = (folder / "schema.prisma").is_file() and (folder / "index.d.ts").is_file()
    return client or (folder / "migration_lock.toml").is_file()
