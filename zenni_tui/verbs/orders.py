"""What a new run is asked to do: settings and command line made into its orders."""

from pathlib import Path

import msgspec

from zenni_tui.cli import Options, config_of
from zenni_tui.config import Settings
from zenni_tui.engine import folders
from zenni_tui.errors import UsageError
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import Meanwhile, RunKind
from zenni_tui.model.upkeep import Upkeep


def aimed(kind: RunKind, settings: Settings, options: Options) -> Settings:
    """Return the settings with staging for a target, when this is a rehearsal and the command line names no other."""
    if kind is not RunKind.REHEARSE or settings.staging is None or options.target:
        return settings
    return msgspec.structs.replace(settings, target=settings.staging, password=settings.staging_password)


def request_for(
    kind: RunKind, settings: Settings, options: Options, *, gated: bool = False, demo: str | None = None
) -> Request:
    """Return the orders for a new run; raises UsageError for what can't be meant."""
    if not settings.source:
        raise UsageError("No source is named.", next_step="Give --source FILE, ZENNI_SOURCE, or [source] path.")
    try:
        settings.source.encode()
    except UnicodeEncodeError:
        raise UsageError(
            "The path of the source is not valid UTF-8.", next_step="Make a link to it with a plain name and name that."
        ) from None
    if kind is RunKind.MIGRATE and settings.target is None:
        raise UsageError(
            "A migration needs a target.", next_step="Give --target URL, ZENNI_TARGET_URL, or [target] url."
        )
    if options.keep and settings.target is None:
        raise UsageError(
            "--keep needs a --target: an embedded PostgreSQL ends with its run.",
            next_step="Give --target URL of a PostgreSQL of yours.",
        )
    prisma_schema = _prisma(settings)
    return Request(
        folders.new_run_id(kind),
        kind,
        str(Path(settings.source).absolute()),
        settings.target,
        settings.schema,
        prisma_schema,
        keep=options.keep or kind is RunKind.MIGRATE,
        gated=gated,
        workers=settings.workers,
        chunk_rows=settings.chunk_rows,
        retry_minutes=settings.retry_minutes,
        choices=msgspec.structs.replace(settings.choices, accept_lossless=options.accept_repairs),
        demo=demo,
        application_role=settings.application_role,
        second_copy=settings.second_copy,
        bounds=settings.bounds,
        rehearsal_hours=settings.rehearsal_hours if kind is RunKind.MIGRATE else 0.0,
        confirmed=options.confirm,
        rung=_rung(options.rung),
        upkeep=upkeep_of(settings, options),
        timeline=settings.timeline,
        prove_backup=kind is RunKind.REHEARSE and (options.prove_backup or settings.backup.in_rehearsals),
        meanwhile=_meanwhile(kind, settings, options),
        assertions=settings.verify.assertions,
        assertions_target=settings.verify.on_target,
        application=settings.application,
        rollback=settings.rollback,
        questions=settings.questions,
        baseline=_baseline(settings, prisma_schema) if settings.application.baseline else "",
    )


def _meanwhile(kind: RunKind, settings: Settings, options: Options) -> Meanwhile:
    if kind not in (RunKind.REHEARSE, RunKind.MIGRATE):
        return Meanwhile.NOTHING
    try:
        return Meanwhile(options.meanwhile or settings.application.meanwhile)
    except ValueError:
        raise UsageError(
            f"Writes can't be met by {options.meanwhile!r}.",
            where="--meanwhile",
            next_step=f"Known: {', '.join(Meanwhile)}.",
        ) from None


def _baseline(settings: Settings, schema: str | None) -> str:
    from zenni_tui.application import project, updates  # noqa: PLC0415 - brings the parser, which most verbs don't need

    if schema is None:
        raise UsageError(
            "[application] baseline is Prisma's, and there is no Prisma schema.",
            next_step="Name it, [source] prisma_schema, or leave baseline out.",
        )
    folder = project.around(Path(settings.source), Path(schema), settings.application.directory)
    return updates.baseline(folder or Path(schema).parent, Path(schema))


def upkeep_of(settings: Settings, options: Options) -> Upkeep:
    """Return how the new database is to be kept, by the configuration."""
    told = bool(settings.notify.command or settings.notify.webhook)
    named = config_of(options)
    return Upkeep(settings.backup, settings.watch, told, str(Path(named).absolute()) if named else "")


def _rung(name: str) -> str:
    if not name:
        return ""
    from zenni_tui.target import ladder  # noqa: PLC0415 - brings the drivers

    if name not in ladder.NAMES:
        raise UsageError(f"No check of the target is called {name!r}.", next_step=f"Known: {', '.join(ladder.NAMES)}")
    return name


def _prisma(settings: Settings) -> str | None:
    from zenni_tui.application import prisma  # noqa: PLC0415 - brings the parser, which most verbs don't need

    if settings.prisma_schema == "none":
        return None
    found = (
        prisma.find_schema(Path(settings.source)) if settings.prisma_schema == "auto" else Path(settings.prisma_schema)
    )
    return str(found.absolute()) if found else None
