"""The engine: a process of its own that runs the runbook, keeps the journal and hears commands."""
