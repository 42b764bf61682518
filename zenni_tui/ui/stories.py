"""What the screen says of itself: what each step and kind of run is for, keys, and the glossary."""

from zenni_tui.model.runbook import RunKind, StepId

STEP_STORIES: dict[StepId, str] = {
    StepId.REACH: "Are source and target there, and may we work on them?",
    StepId.ARM: "Logs, or refuses, what the application writes from now on.",
    StepId.SNAPSHOT: "One consistent copy of the source; all further reading is from it.",
    StepId.INSPECT: "What the source declares: tables, columns, keys, indexes.",
    StepId.AUDIT: "Which stored values PostgreSQL would refuse or change.",
    StepId.PLAN: "Which table becomes what, in which order.",
    StepId.PREPARE: "Makes the empty tables in the target. The first write.",
    StepId.COPY: "Carries the rows in chunks, each with its checkpoint.",
    StepId.INDEX: "Builds keys, indexes, foreign keys and sequences.",
    StepId.VERIFY: "Compares every row and every value, and the structure.",
    StepId.CATCH_UP: "Brings what was written since the snapshot, and follows on.",
    StepId.REPORT: "The verdict and its evidence.",
    StepId.SWITCH: "Moves the application over, in actions that can be taken back.",
    StepId.WATCH: "The rollback window: the old file follows the new side.",
    StepId.FALL_BACK: "Moves the application back, with every write of the new side.",
}

KIND_STORIES: dict[RunKind, str] = {
    RunKind.REHEARSE: "the whole migration, verified, then taken back",
    RunKind.CHECK: "prerequisites only; nothing is written",
    RunKind.AUDIT: "schema and data; nothing is written",
    RunKind.PLAN: "tables, types, order; nothing is written",
    RunKind.MIGRATE: "migration day: asks before the first write",
}

DRILL_STORY = "rehearsals into which something breaks; each with a score sheet"
LEARN_STORY = "lessons with exercises, on a database of this machine"

RUN_KEYS: tuple[tuple[str, str], ...] = (
    ("Left, Right", "look at the step before, the step after"),
    ("Up, Down, PgUp, PgDn", "move in the list; Home and End jump"),
    ("Tab", "go to the next part of the screen"),
    ("f", "follow the running step again"),
    ("g", "go on, when the engine waits for you; Enter too, in its box"),
    ("Enter", "in a list: open the finding or the table under the cursor"),
    ("c", "choose a repair for the finding under the cursor"),
    ("x", "take a choice back, while the engine waits"),
    ("i", "keep what was chosen in config.toml, so that the next run repeats it"),
    ("d", "the SQL of the plan; t in a table's columns: another type"),
    ("a", "tools: the application's own changes, queries, figures, comparing again, backup, documents, codes"),
    ("s", "stop at a safe point (asks); resume goes on from there"),
    ("o", "take control, when another screen has it"),
    ("p", "pause, or let a paused run go on; nothing stays open on the target"),
    ("t", "speed: rows or MB a second, workers"),
    ("w", "the watch over the target: what is slow, full, locked; what would help"),
    ("m", "move the application over, or end the rollback window (asks for a typed word)"),
    ("r, F8", "roll back (asks); after a switch, fall back (asks for a typed word)"),
    ("u, R", "resume a run that was stopped or interrupted"),
    ("k", "look again at what stood in the way to the target"),
    ("v", "order of the tables: plan, name, largest, slowest, least done"),
    ("/", "filter tables or findings; Esc clears"),
    ("l", "show or hide the log"),
    ("e", "show the last problem again"),
    ("F2, Ctrl+S", "save this screen (SVG and text) into the run's folder"),
    ("Ctrl+P", "all commands by name, and light or dark colours"),
    ("b", "back to the first screen; the engine works on"),
    ("q", "leave (asks): detach, stop, or stay"),
)

TOOL_KEYS: tuple[tuple[str, str], ...] = (
    ("Up, Down, PgUp, PgDn", "move in the list; what the tool does stands below"),
    ("Enter", "do it; what takes long or writes to the target asks first"),
    ("F2, Ctrl+S", "save this screen (SVG and text) into the run's folder"),
    ("b, Esc", "back to where you came from"),
    ("q", "leave"),
)

WATCH_KEYS: tuple[tuple[str, str], ...] = (
    ("Up, Down, PgUp, PgDn", "move in the list; Home and End jump"),
    ("Enter", "one vital whole: what is raised, what would help, the rows behind it"),
    ("n", "the next vital with an alarm"),
    ("r", "look now"),
    ("F2, Ctrl+S", "save this screen (SVG and text)"),
    ("b", "back to the first screen"),
    ("q", "leave"),
)

START_KEYS: tuple[tuple[str, str], ...] = (
    ("Up, Down", "choose; below the last line the list of past runs begins"),
    ("Enter", "do it, or open the run"),
    ("Tab", "go to the other list"),
    ("F2, Ctrl+S", "save this screen (SVG and text)"),
    ("Ctrl+P", "all commands by name, and light or dark colours"),
    ("q", "leave"),
)

SETUP_KEYS: tuple[tuple[str, str], ...] = (
    ("Up, Down", "choose the file; the last line is for another path"),
    ("Enter", "take it, name the target, test both"),
    ("Tab", "go to what the tests found"),
    ("b, Esc", "back to the first screen; nothing is kept"),
    ("q", "leave"),
)

TASK_KEYS: tuple[tuple[str, str], ...] = (
    ("v", "turn from the tasks to the timeline, to the risks, and back"),
    ("Up, Down", "look at another task; what carries it stands below"),
    ("s, Enter", "sign off a task that a person must do: name and note"),
    ("F2, Ctrl+S", "save this screen (SVG and text)"),
    ("b, Esc", "back to the first screen"),
    ("q", "leave"),
)

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("run", "one pass through the runbook; it has a folder with all evidence"),
    ("engine", "the process that does the work; closing the screen does not end it"),
    ("safe point", "between two chunks: what is done is kept, what is not is not begun"),
    ("armed", "triggers of ours log each write to the source; rollback takes them out"),
    ("frozen", "triggers of ours refuse each write to the source; rollback takes them out"),
    ("checkpoint", "the target's own note that a chunk arrived; resume starts there"),
    ("snapshot", "the copy of the source that everything is read from"),
    ("verdict", "passed means: every row and every value was compared and is the same"),
    ("lossless", "a repair that changes no value, only a type or a name"),
    ("old side, new side", "the application on SQLite, and on PostgreSQL; one of them takes writes"),
    ("rollback window", "after a switch: the old file follows, and the way back loses nothing"),
    ("fingerprint", "what the target held before the run, compared after a rollback"),
    ("bar", "its last cell is filled when the rows are verified, not when they are sent"),
)

WHAT_THIS_IS = "Moves SQLite to PostgreSQL, proves it, and can take it back."

FOCUS_STORIES: dict[str, str] = {
    "Rail": "The step rail: every step with its state. Up and Down look at another step; f follows the run again.",
    "Rows": "A list: Up and Down move; where the last line names /, it filters; below stands more on the chosen one.",
    "Scroll": "A text: Up and Down move it.",
    "Gate": "The engine's question: Enter or g goes on; Up and Down lead to the list below.",
    "RollbackBar": "The way back: Enter asks before anything is taken back; the target is then as it was.",
    "Filter": "The filter: type part of a name; Enter keeps it, Esc shows everything again.",
}
