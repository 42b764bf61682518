"""What a Prisma application needs to run on PostgreSQL: every file that changes, why, and what is left to a person.

Nothing is written here; secrets are not read: `.env` is not among the files.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from zenni_tui.errors import NotReady
from zenni_tui.model.plan import Plan
from zenni_tui.model.queries import Judged, QueryState
from zenni_tui.model.record import Record

from . import driver_adapter, environment, packages, prisma, prisma_agreement, prisma_baseline, prisma_proposal
from . import prisma_settings as settings
from .patch import Change, Move
from .prisma_plan import target_plan
from .rewritten import rewritten
from .sources import SCRIPTS, Sources

ARCHIVE = ".sqlite"
_EXAMPLES = (".env.example", ".env.sample", ".env.template", "example.env")
_NEW_EXAMPLE = """\
# PostgreSQL. {} is what the application uses: through the pooler, where there is one.
# DIRECT_URL is for migrations: past the pooler.
"""
_URL = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
_LATEST = 7
_POSTGRESQL = ("postgresql", "postgres")
_NOT_PRISMAS = "It is run by SQLite's own driver, or has changed since it was read."


class Updates(Record, frozen=True):
    """A proposal for a project.

    `version` is Prisma's, `baseline` the name of the migration, `checksum` its file's; `variable` is the setting that
    names the database. `notes` are for a person to look at, `queries` tells what became of the SQL in the code.
    """

    version: int
    changes: tuple[Change, ...]
    moves: tuple[Move, ...]
    notes: tuple[str, ...]
    queries: tuple[str, ...]
    baseline: str
    checksum: str
    variable: str


def propose(folder: Path, schema: Path, plan: Plan, judged: Sequence[Judged] = ()) -> Updates:
    """Return what changes in a project's folder for a plan; of a project that is on PostgreSQL already, nothing.

    `judged` are the queries that were found in its code. Raises `SchemaUnreadable`, OSError, and NotReady for parts
    outside of the folder.
    """
    return _Proposal(folder.resolve(), schema.resolve(), plan, judged).made()


def baseline(folder: Path, schema: Path) -> str:
    """Return the name of the baseline for a project's folder, the same before the proposal is carried out and after."""
    return prisma_baseline.name(settings.migrations(folder, schema))


class _Proposal:
    """One proposal under way."""

    def __init__(self, folder: Path, schema: Path, plan: Plan, judged: Sequence[Judged]) -> None:
        self._folder = folder
        self._schema = schema
        self._plan = plan
        self._judged = judged
        self._done: list[Judged] = []
        self._changes: list[Change] = []
        self._moves: list[Move] = []
        self._notes: list[str] = []
        self._version = packages.prisma_version(folder) or self._guess()
        self._migrations = settings.migrations(folder, schema)
        config = settings.config(folder)
        self._variable = settings.variable(*prisma.texts(schema).values(), _text(config) if config else "")

    def _guess(self) -> int:
        said = "\n".join(prisma.texts(self._schema).values())
        version = _LATEST - 1 if settings.has_url(said) else _LATEST
        self._notes.append(f"Neither lock file nor package.json tells Prisma's version: taken for {version}.")
        return version

    def made(self) -> Updates:
        self._prisma_schema()
        self._prisma_config()
        self._code()
        text = prisma_baseline.script(self._plan)
        name = prisma_baseline.name(self._migrations)
        self._archive()
        self._baseline(name, text)
        self._example()
        checksum = prisma_baseline.checksum(text)
        return Updates(
            self._version,
            tuple(self._changes),
            tuple(self._moves),
            tuple(self._notes),
            tuple(_told(self._judged, self._done)),
            name,
            checksum,
            self._variable,
        )

    def _named(self, path: Path) -> str:
        try:
            return path.resolve().relative_to(self._folder).as_posix()
        except ValueError:
            raise NotReady(
                "A part of the application lies outside of its project's folder.",
                where=str(path),
                why=f"The folder is {self._folder}; a patch is made for one folder.",
                next_step="Name the folder that holds all of it: [application] directory in the config.",
            ) from None

    def _change(self, path: Path, after: str, why: str) -> None:
        """Note a file's new text, given with plain line ends; what it has of its own, its line ends too, stays."""
        before = _raw(path)
        if before is not None:
            mark = "\ufeff" if before.startswith("\ufeff") else ""
            after = mark + (after.replace("\n", "\r\n") if "\r\n" in before else after)
        if after != before:
            self._changes.append(Change(self._named(path), before, after, why))

    def _prisma_schema(self) -> None:
        read = prisma.read_schema(self._schema)
        after = {
            file: settings.in_schema(text, self._version)
            for file, text in prisma_proposal.proposed(self._schema, read, self._plan).items()
        }
        for file, text in after.items():
            self._change(Path(file), text, "the provider, and the types, fields and indexes of the plan")
        now = prisma.read_texts(after, str(self._schema))
        if now.provider not in _POSTGRESQL:
            self._notes.append(f"The datasource was not understood: its provider must become {_POSTGRESQL[0]}.")
        self._notes += prisma_agreement.disagreements(target_plan(now, namespace=self._plan.schema), self._plan)

    def _prisma_config(self) -> None:
        found = settings.config(self._folder)
        why = "Prisma's command line takes the URL from here; migrations go past the pooler"
        if found is not None:
            after = settings.in_config(_text(found))
            self._change(found, after, why)
            if self._version >= settings.URL_IN_CONFIG and settings.DIRECT not in after:
                self._notes.append(
                    f"{self._named(found)}: its datasource was not understood: let its url be DIRECT_URL."
                )
        elif self._version >= settings.URL_IN_CONFIG:
            text = settings.new_config(self._named(self._schema), self._named(self._migrations))
            self._change(self._folder / "prisma.config.ts", text, why)

    def _code(self) -> None:
        imported: set[str] = set()
        adapters = 0
        sources = Sources(self._folder)
        for name, text in sources.read():
            ported = rewritten(name, text, self._judged)
            script = Path(name).suffix in SCRIPTS
            new = driver_adapter.adapted(ported.text, self._plan.schema, self._variable) if script else None
            adapters += new is not None
            self._done += ported.done
            self._notes += [f"{name}:{line}: {note}." for line, note in (new.notes if new else ())]
            after = new.text if new else ported.text
            self._change(self._folder / name, after, _why(adapter=new is not None, queries=len(ported.done)))
            self._notes += [
                f"{name}:{n}: {p} is still named here." for n, p in driver_adapter.mentions(after) if script
            ]
            imported |= {d for d in driver_adapter.DRIVERS if script and driver_adapter.imports(after, d)}
        self._notes += [f"Not looked at: {what}." for what in sources.passed_over]
        self._packages(imported)
        if self._version >= settings.URL_IN_CONFIG and not adapters and not self._asks_for(driver_adapter.PACKAGE):
            self._notes.append("No driver adapter was found in the code: Prisma 7 needs one, new PrismaPg(…).")

    def _asks_for(self, package: str) -> bool:
        return package in packages.asked(_text(self._folder / "package.json"))

    def _packages(self, imported: set[str]) -> None:
        path = self._folder / "package.json"
        before = _text(path)
        asked, text = packages.asked(before), before
        old = [a for a in driver_adapter.SQLITE if a in asked]
        for adapter in old:
            text = packages.replaced(text, adapter, driver_adapter.PACKAGE)
        unused = [d for d in driver_adapter.DRIVERS if d in asked and d.removeprefix("@types/") not in imported]
        for driver in unused if old else ():
            text = packages.without(text, driver)
        if text != before:
            self._change(path, text, "the driver adapter's package")
            self._notes.append("package.json changes: install again, so that the lock file follows.")

    def _archive(self) -> None:
        if prisma_baseline.provider(self._migrations) != "sqlite":
            return
        archive = self._migrations.with_name(self._migrations.name + ARCHIVE)
        if archive.exists():
            raise NotReady(
                "The archive of the old migrations is there already.",
                where=str(archive),
                why="The migrations beside it are still SQLite's, and nothing is overwritten.",
                next_step="Move one of the two away.",
            )
        for path in sorted(p for p in self._migrations.rglob("*") if p.is_file()):
            place = archive / path.relative_to(self._migrations)
            if path.name == prisma_baseline.LOCK:
                self._change(place, _text(path), "the archived migrations are SQLite's")
            else:
                self._moves.append(Move(self._named(path), self._named(place)))

    def _baseline(self, name: str, text: str) -> None:
        path = self._migrations / name / prisma_baseline.FILE
        if path.is_file() and _text(path) != text:
            self._notes.append(f"{self._named(path)} is there and is not what this plan makes; it is left as it is.")
            return
        self._change(path, text, "one migration that makes the whole database, as Prisma would")
        self._change(
            self._migrations / prisma_baseline.LOCK,
            _locked(_text(self._migrations / prisma_baseline.LOCK)),
            "the migrations are PostgreSQL's",
        )

    def _example(self) -> None:
        path = next((p for n in _EXAMPLES if (p := self._folder / n).is_file()), self._folder / _EXAMPLES[0])
        query = "" if self._plan.schema == "public" else f"?schema={self._plan.schema}"
        wanted = dict.fromkeys((self._variable, settings.DIRECT), _URL + query)
        known = environment.settings(_text(path))
        wanted = {n: v for n, v in wanted.items() if not known.get(n, "").startswith("postgres")}
        if wanted:
            text = environment.changed(_text(path) if path.is_file() else _NEW_EXAMPLE.format(self._variable), wanted)
            self._change(path, text, "the two URLs, without any secret")


def _why(*, adapter: bool, queries: int) -> str:
    parts = ["PostgreSQL's driver adapter in the place of SQLite's"] if adapter else []
    parts += [f"{queries} quer{'y' if queries == 1 else 'ies'} in PostgreSQL's form"] if queries else []
    return ", and ".join(parts)


def _told(judged: Iterable[Judged], done: Sequence[Judged]) -> Iterator[str]:
    """Yield what is to be said of queries: how far the changed ones are proven, and which a person has to change."""
    for one in judged:
        place, marks = one.query.place, ", ".join(dict.fromkeys(m.name for m in one.marks))
        if one in done:
            yield f"{place}: changed ({marks}); {one.words}."
        elif one.state is not QueryState.PORTABLE:
            write = f" PostgreSQL's form would be: {one.proposal}" if one.proposal else ""
            yield f"{place}: not changed ({marks or one.state}). {one.why or _NOT_PRISMAS}{write}"


def _locked(text: str) -> str:
    """Return a lock file's text for PostgreSQL."""
    found = text.replace('"sqlite"', '"postgresql"')
    return found or '# Please do not edit this file manually\nprovider = "postgresql"\n'


def _raw(path: Path) -> str | None:
    return path.read_bytes().decode() if path.is_file() else None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig") if path.is_file() else ""


def files(updates: Updates, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file that is new or changed or has moved, with its content, by its path in the project's folder."""
    for change in updates.changes:
        yield change.path, change.after.encode()
    for move in updates.moves:
        yield move.to, (folder / move.path).read_bytes()
