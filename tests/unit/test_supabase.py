"""Supabase is known by its names, and the application's URLs follow from them."""

import pytest

from zenni_tui.target import supabase

KNOWN = [
    ("db.abcdef.supabase.co", "postgres", "abcdef"),
    ("aws-0-eu-central-1.pooler.supabase.com", "postgres.abcdef", "abcdef"),
    ("db.example.org", "postgres.abcdef", ""),
    ("db.abcdef.supabase.co.example.org", "postgres", ""),
    ("", "postgres", ""),
]


@pytest.mark.parametrize(("host", "user", "ref"), KNOWN)
def test_a_project_is_known_by_its_host_or_the_poolers_user(host: str, user: str, ref: str) -> None:
    """Any other name, however similar, is no project."""
    assert supabase.ref_of(host, user) == ref
    assert (supabase.application_urls(host, user, "postgres", "") is not None) is bool(ref)


def test_the_applications_urls_leave_the_password_open() -> None:
    """Pooled for the application's many short transactions, direct for its migrations; for its own role."""
    host = "aws-0-eu-central-1.pooler.supabase.com"
    assert supabase.application_urls(host, "postgres.abc", "postgres", "booking") == (
        f"postgresql://booking.abc:[PASSWORD]@{host}:6543/postgres?pgbouncer=true",
        "postgresql://booking:[PASSWORD]@db.abc.supabase.co:5432/postgres",
    )
    pooled, direct = supabase.application_urls("db.abc.supabase.co", "postgres", "postgres", "") or ("", "")
    assert "<region>.pooler.supabase.com:6543" in pooled
    assert direct == "postgresql://postgres:[PASSWORD]@db.abc.supabase.co:5432/postgres"
