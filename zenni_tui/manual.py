"""What `--help` says after the options."""

EPILOG = """\
exit codes:
  0 passed, or waiting for your decision    4 stopped at a safe point: resume
  1 failed: a difference, or a step         5 rolled back
  2 usage or configuration                  6 another run holds source or target
  3 not ready: prerequisites or audit      70 a fault of ours, with a report

environment:
  ZENNI_CONFIG, ZENNI_SOURCE, ZENNI_TARGET_URL, ZENNI_SCHEMA,
  ZENNI_STAGING_URL and ZENNI_REHEARSAL_HOURS come after options and before the
  config file.
  PGPASSWORD, PGPASSFILE, PGSERVICE and the other PG* variables as for psql.
  NO_COLOR takes the colours away; TERM=dumb means lines instead of a screen.

files:
  config.toml                     settings of the folder it is started in
  ~/.local/state/zenni-tui/runs   a folder for each run, with all its evidence
                                  ($XDG_STATE_HOME instead of ~/.local/state)

examples:
  zenni-tui demo                               see it work, on its own data
  zenni-tui rehearse --source app.db           the whole of it, then taken back
  zenni-tui check --target postgresql://u@h/d  what stands in the way
  zenni-tui migrate --source app.db --target postgresql://u@h/d --yes --headless
  zenni-tui status --json | jq .verdict        how the live or last run stands
"""
