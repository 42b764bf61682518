"""The PostgreSQL side: connections, checks, catalogue, DDL, loading, and our bookkeeping in the target."""
