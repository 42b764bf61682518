"""Tells of what was raised and what has cleared: by a command of the customer's, by a webhook, once each."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple

from zenni_tui.application import health, hooks
from zenni_tui.errors import StepFailed
from zenni_tui.model.vitals import Alert, Notify

from .history import History
from .judge import told

_AT_ONCE = 20
"""Messages of one look; others wait for the next, since a look holds up whoever else looks."""


class Told(NamedTuple):
    """How many messages went out, and what went wrong."""

    delivered: int = 0
    notes: tuple[str, ...] = ()


async def tell(history: History, notify: Notify, target: str, folder: Path) -> Told:
    """Deliver what is not delivered yet, in order; what failed, and all after it, is tried at the next look."""
    delivered = 0
    for number, raised, alert in history.untold()[:_AT_ONCE]:
        why = await deliver(notify, alert, target, folder, state="raised" if raised else "cleared")
        if why:
            return Told(delivered, why)
        history.delivered(number)
        delivered += bool(notify.command or notify.webhook)
    return Told(delivered)


async def deliver(notify: Notify, alert: Alert, target: str, folder: Path, state: str = "test") -> tuple[str, ...]:
    """Tell of one alert by each way that is configured; returns what went wrong."""
    text = f"zenni-tui watch: {state} on {target}: {alert.text}"
    message = {"state": state, "target": target, "at": time.time(), "alert": told(alert), "text": text}
    why: list[str] = []
    if notify.command:
        why += await _run(notify, message, folder)
    if notify.webhook:
        why += await asyncio.to_thread(_post, notify, message)
    return tuple(why)


async def _run(notify: Notify, message: dict[str, object], folder: Path) -> list[str]:
    known = {"ZENNI_ALERT_STATE": str(message["state"]), "ZENNI_ALERT_TEXT": str(message["text"])}
    known["ZENNI_ALERT_JSON"] = json.dumps(message)
    hook = hooks.Hook("notify", notify.command, timeout=notify.timeout_seconds, environment=known)
    try:
        ended = await hooks.run(hook, folder)
    except (StepFailed, OSError) as error:
        return [f"[notify] command: {error} {getattr(error, 'why', '')}".strip()]
    if ended.ok:
        return []
    how = "did not end in time" if ended.code is None else f"ended with {ended.code}"
    return [f"[notify] command {how}; what it said: {ended.said}"]


def _post(notify: Notify, message: dict[str, object]) -> list[str]:
    request = urllib.request.Request(  # noqa: S310 - the opener takes HTTP and HTTPS only
        notify.webhook, json.dumps(message).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with health.opener(notify.webhook).open(request, timeout=notify.timeout_seconds):
            return []
    except urllib.error.HTTPError as error:
        with error:
            return [f"[notify] webhook answers {error.code}"]
    except (OSError, HTTPException, ValueError) as error:
        # The URL is kept like a password: the reason only.
        return [f"[notify] webhook: {getattr(error, 'reason', None) or type(error).__name__}"]
