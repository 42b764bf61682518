"""The watch after go-live: looks at the target, remembers, raises alarms once, and knows what would help."""
