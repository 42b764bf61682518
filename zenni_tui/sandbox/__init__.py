"""The sandbox: embedded PostgreSQL, a sample application and its demo; never production."""
