"""What the operator chose in a run, written into the config file, so that migration day repeats the rehearsal."""

from pathlib import Path

import tomlkit

from zenni_tui import config
from zenni_tui.files import write_private
from zenni_tui.model.choices import Choices


def keep(place: Path, choices: Choices) -> None:
    """Write repairs and types into a config file; all else in it is left as it is.

    The file is made, mode 0600, where there is none. Raises UsageError when it is no config.
    """
    known = place.exists()
    if known:
        config.load(place)
    document = tomlkit.parse(place.read_text()) if known else tomlkit.document()
    schema = document.setdefault("schema", tomlkit.table(is_super_table=True))
    for section, chosen in (("repairs", choices.repairs), ("casts", choices.casts)):
        if chosen:
            schema.setdefault(section, tomlkit.table()).update(chosen)
    write_private(place, tomlkit.dumps(document).encode())
