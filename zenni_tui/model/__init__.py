"""The words every room shares: records, events and pure functions over them; no I/O."""
