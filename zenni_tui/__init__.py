"""Moves a live SQLite application database to PostgreSQL."""
