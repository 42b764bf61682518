"""Who runs the program."""

import getpass
import os


def user() -> str:
    """Return the name of whoever runs the program; their number where the system has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
