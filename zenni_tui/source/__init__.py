"""The SQLite side: read-only looks at the source, the snapshot, and what it declares and holds."""
