"""The sample application's page: upcoming bookings and a form, every value escaped."""

import html
from collections.abc import Sequence

from .bookings import Booking
from .helsinki import plain, to_wall

POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
"""Content-Security-Policy: the page needs its own style and its own form, nothing else."""

PAGE = """<!doctype html>
<html lang="fi"><meta charset="utf-8"><title>Zenni Wellness</title>
<style>body{{font:16px sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
td,th{{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}}
label{{display:block;margin:.4rem 0}}</style>
<h1>Zenni Wellness</h1>
<p>{count} varausta, tietokanta {kind}</p>
<h2>Tulevat varaukset</h2>
<table><tr><th>Aika</th><th>Palvelu</th><th>Asiakas</th><th>Tila</th></tr>
{rows}</table>
<h2>Varaa aika</h2>
<form method="post" action="/bookings">
<label>Palvelu <select name="serviceId">{services}</select></label>
<label>Nimi <input name="customerName" required maxlength="200"></label>
<label>Sähköposti <input name="customerEmail" type="email" required maxlength="200"></label>
<label>Puhelin <input name="customerPhone" maxlength="50"></label>
<label>Aika <input name="startTime" type="datetime-local" required></label>
<label>Toiveita <textarea name="notes" maxlength="2000"></textarea></label>
<button>Varaa</button></form></html>
"""


def page(kind: str, count: int, bookings: Sequence[Booking], services: Sequence[tuple[str, str]]) -> str:
    """Return the page; times are Helsinki's."""
    options = (f'<option value="{html.escape(key)}">{html.escape(name)}</option>' for key, name in services)
    rows = "".join(_row(booking) for booking in bookings)
    return PAGE.format(kind=html.escape(kind), count=count, rows=rows, services="".join(options))


def _row(booking: Booking) -> str:
    when = "?" if booking.start is None else plain(to_wall(booking.start))[:16]
    cells = (when, booking.service, booking.name, booking.status)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>\n"
