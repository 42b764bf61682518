"""The evidence folder: what is kept of a run for people and for scripts."""
