"""A figure that the application tells of itself, such as its error rate: by a command, or by a JSON endpoint."""

import asyncio
import json
import math
import urllib.error
from http.client import HTTPException
from pathlib import Path
from typing import Any

from zenni_tui.errors import StepFailed

from . import health, hooks

_MOST_BYTES = 1024 * 1024


async def printed(command: tuple[str, ...], field: str, folder: Path, within: float) -> float:
    """Return the number on the last line that a command prints, or the field of a JSON object; raises StepFailed."""
    ended = await hooks.run(hooks.Hook("error-rate", command, timeout=within), folder)
    text = await asyncio.to_thread(_said, Path(ended.said))
    if not ended.ok:
        how = "it did not end in time" if ended.code is None else f"it ended with {ended.code}"
        raise _unread(" ".join(command[:1]), f"{how}; what it said is in {ended.said}")
    return _number(text.splitlines()[-1] if text and not text.startswith("{") else text, field, command[0])


def served(url: str, field: str, timeout: float) -> float:
    """Return the field of the JSON object that a URL answers with, or its bare number; raises StepFailed."""
    try:
        with health.opener(url).open(url, timeout=timeout) as reply:
            return _number(reply.read(_MOST_BYTES).decode(errors="replace"), field, url)
    except urllib.error.HTTPError as error:
        with error:
            raise _unread(url, f"it answers {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise _unread(url, str(getattr(error, "reason", None) or error)) from None


def _said(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode(errors="replace").strip()


def _number(text: str, field: str, where: str) -> float:
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise _unread(where, "what it says is neither a number nor JSON") from None
    for part in field.split(".") if isinstance(found, dict) else ():
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise _unread(where, f"it gives no number {field}")
    return float(found)


def _unread(where: str, why: str) -> StepFailed:
    return StepFailed(
        "The application's error rate could not be read.",
        where=where,
        why=why,
        next_step="Mend [watch] error_rate, error_url or error_field in the config.",
    )
