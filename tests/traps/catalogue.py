"""All traps, in the groups that share a file; which trap is in which group decides speed only, never its outcome."""

from traps import defaults, files, instants, limits, names, numbers, objects, references, rules, shapes, texts
from traps.words import Group, Trap

LOSSLESS = Group(
    "accepted_repairs",
    tuple(
        t
        for module in (numbers, instants, names)
        for t in module.BLOCKED
        if t.blocks and t.chosen and all((w.choose or "").startswith(("type:", "rename:*")) for w in t.wants)
    ),
    options=("--accept-repairs",),
)
"""`--accept-repairs` takes each finding's first lossless repair, so all of these pass in one run."""

GROUPS = (
    Group("shapes", shapes.PASSING),
    Group("references", references.PASSING),
    Group("checks", rules.CHECKS),
    Group("indexes", rules.INDEXES),
    Group("values", (*numbers.PASSING, *texts.PASSING)),
    Group("instants", instants.PASSING),
    Group("names", names.PASSING),
    Group("defaults", defaults.PASSING),
    Group("objects", (*objects.VIEWS, *objects.TRIGGERS, objects.SHADOW_LOOKALIKES)),
    Group("limits", limits.PASSING),
    Group("blocked_shapes", (*shapes.BLOCKED, *references.BLOCKED, *rules.BLOCKED)),
    Group("blocked_values", (*numbers.BLOCKED, *texts.BLOCKED)),
    Group("blocked_instants", instants.BLOCKED),
    Group("blocked_names", (*names.BLOCKED, *objects.VIRTUAL)),
    Group("blocked_limits", limits.BLOCKED),
    Group("table_name_not_utf8", (names.TABLE_NOT_UTF8,)),
    *files.GROUPS,
)


def everything() -> list[tuple[Group, Trap]]:
    """Return every trap with its group."""
    return [(g, t) for g in GROUPS for t in g.traps]
