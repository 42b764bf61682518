"""The application's sides as a run knows them: with the target's URL, its password included, filled in."""

import asyncio
from collections.abc import Mapping

from zenni_tui.application.sides import Applied
from zenni_tui.model.application import Which
from zenni_tui.target import libpq

from .run import Run


async def side(run: Run, which: Which) -> Applied:
    """Return one side, its settings ready to be written; raises UsageError for a reference that nobody knows."""
    known, secrets = await asyncio.to_thread(_references, run)
    return Applied(run.request.application, which, run.request.run_id, known, secrets)


def _references(run: Run) -> tuple[dict[str, str], tuple[str, ...]]:
    # The server is not asked: it may be away just when the application is to be led back.
    password = libpq.password(run.to.settings())
    settings = run.to.settings() | {"password": password}
    facts = run.to.facts(run.request.schema)
    url = libpq.url(settings)
    known = {
        "TARGET_URL": url,
        "TARGET_HOST": facts.host,
        "TARGET_PORT": str(facts.port),
        "TARGET_DATABASE": facts.database,
        "TARGET_USER": facts.user,
        "TARGET_PASSWORD": password,
        "TARGET_SCHEMA": facts.schema,
        "SOURCE": str(run.source),
    }
    return known, (password, url)


def told(run: Run, event: str) -> Mapping[str, str]:
    """Return what every command of the application is told: the run, and what is going on."""
    return {"ZENNI_RUN_ID": run.request.run_id, "ZENNI_EVENT": event}
