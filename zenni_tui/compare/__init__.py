"""The verifier: its own reading of both databases, which shares no conversion code with the copier."""
