"""Who runs the program."""

import os
import pwd

import pytest

from zenni_tui.engine import client
from zenni_tui.users import user


def test_a_user_without_a_name_is_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container whose user stands in no list of users every deed is noted all the same, by the number."""

    def unknown(number: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert user() == f"uid-{os.getuid()}"
    assert client.whoami().startswith(f"{user()} on ")
    monkeypatch.setenv("LOGNAME", "aino")
    assert user() == "aino"
