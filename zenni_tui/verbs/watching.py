"""The verb `watch`: one look at the target after go-live, in lines or as a document."""

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import msgspec

from zenni_tui.cli import Options, settings_of
from zenni_tui.config import Settings
from zenni_tui.engine import baselines, client
from zenni_tui.errors import ExitCode, UsageError
from zenni_tui.model.vitals import Look, State, Vital

from .backup import target_of

if TYPE_CHECKING:
    from zenni_tui.target.connect import Target
    from zenni_tui.ui.post import Post
    from zenni_tui.watch.station import Station

_NAME = "zenni-tui watch"


def known_source(settings: Settings) -> str:
    """Return the source that the target's data came from: the one named, or the last run's, or none."""
    last = client.last_run()
    return settings.source or (client.request_of(last).source if last else "")


def station_of(settings: Settings, target: "Target") -> "Station":
    """Return the station over a target, as the settings want it watched."""
    from zenni_tui.watch.station import Station, Watched  # noqa: PLC0415 - brings the drivers

    limits = settings.watch
    if not limits.pool_role and settings.application_role:
        limits = msgspec.structs.replace(limits, pool_role=settings.application_role)
    source = known_source(settings)
    baseline = baselines.known(source) if source else None
    return Station(target, Watched(limits, settings.notify, baseline.timings if baseline else (), source))


def watch(options: Options) -> int:
    """Open the watch's screen; without a terminal, or with --once, look once and return 1 when something is raised."""
    if options.test:
        return _test(options)
    if options.screen and not options.once:
        return _screen(options)
    settings = settings_of(options)
    with target_of(settings, _NAME) as target:
        look = asyncio.run(_once(station_of(settings, target)))
    code = ExitCode.FAILED if look.alerts else ExitCode.PASSED
    if options.json:
        print(json.dumps(document(look, code), ensure_ascii=False))
    else:
        lines(look)
    return int(code)


def post_of(settings: Settings) -> "Post":
    """Return what the screen watches the settings' own target by."""
    from zenni_tui.target.connect import Target  # noqa: PLC0415 - brings the drivers, which other verbs don't need
    from zenni_tui.watch.beside import Beside  # noqa: PLC0415 - as above

    return Beside(station_of(settings, Target(settings.target or {}, settings.password, name=_NAME)))


def _screen(options: Options) -> int:
    from zenni_tui.ui import app  # noqa: PLC0415 - Textual is for those who look
    from zenni_tui.watch.beside import Beside  # noqa: PLC0415 - as above

    settings = settings_of(options)
    with target_of(settings, _NAME) as target:
        app.run(post=Beside(station_of(settings, target)), ascii_only=options.ascii)
    return int(ExitCode.PASSED)


def _test(options: Options) -> int:
    settings = settings_of(options)
    if not (settings.notify.command or settings.notify.webhook):
        raise UsageError(
            "Nobody is named to be told.", next_step="Set command or webhook under [notify] in the config."
        )
    with target_of(settings, _NAME) as target:
        asyncio.run(station_of(settings, target).rehearse())
    print("The test message was delivered; see that it arrived.", file=sys.stderr)
    if options.json:
        print(json.dumps({"delivered": True}))
    return int(ExitCode.PASSED)


async def _once(station: "Station") -> Look:
    try:
        return await station.look()
    finally:
        station.close()


def document(look: Look, code: ExitCode) -> dict[str, object]:
    """Return a look as JSON wants it."""
    return {
        "target": look.target,
        "at": look.at,
        "seconds": look.seconds,
        "exit_code": int(code),
        "vitals": [_vital(look, v) for v in look.vitals],
        "alerts": [
            {**msgspec.to_builtins(a.alert), "advice": a.advice, "remedies": msgspec.to_builtins(a.remedies)}
            for a in look.alerts
        ],
        "raised": [[*a.key] for a in look.raised],
        "cleared": [[*a.key] for a in look.cleared],
        "notes": list(look.notes),
    }


def _vital(look: Look, vital: Vital) -> dict[str, object]:
    return {
        "id": vital.id,
        "state": str(look.state(vital)),
        "words": vital.words,
        "measure": vital.measure,
        "unseen": vital.unseen,
        "rows": [dict(zip(vital.columns, row, strict=True)) for row in vital.rows],
    }


def lines(look: Look) -> None:
    """Print a look for people: the vitals, then what is raised, since when, and what would help."""
    print(f"{look.target}: {len(look.alerts)} raised" if look.alerts else f"{look.target}: nothing raised")
    for vital in look.vitals:
        note = f"  ({vital.unseen})" if vital.unseen else ""
        print(f"  {look.state(vital):6} {vital.title:14} {vital.words}{note}")
    for one in look.alerts:
        print(f"{State.ALERT} {one.alert.code}: {one.alert.text}\n  {one.advice}")
        for remedy in one.remedies:
            print(f"  {remedy.title}: {'; '.join(remedy.sql)}\n    {remedy.effect}")
    for note in look.notes:
        print(f"zenni-tui: {note}", file=sys.stderr)
