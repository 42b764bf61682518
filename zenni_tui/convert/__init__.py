"""What one stored SQLite value means as a PostgreSQL type; exact, or a named reason why not."""
