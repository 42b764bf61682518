"""Traps: one SQLite database, or table, for each thing that can go wrong on the way, its outcome written down first."""
