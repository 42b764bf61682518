"""Lessons: pages to read, and exercises on a database of their own that are checked by looking at it."""
