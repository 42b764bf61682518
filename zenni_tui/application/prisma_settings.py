"""Where Prisma's own settings name the database: the datasource block until Prisma 6, prisma.config.ts from 7 on.

https://www.prisma.io/docs/orm/reference/prisma-schema-reference#datasource and
https://www.prisma.io/docs/orm/reference/prisma-config-reference.
"""

import re
from pathlib import Path

POOLED = "DATABASE_URL"
DIRECT = "DIRECT_URL"
"""Migrations need a session of their own, which a pooler in transaction mode doesn't give."""

URL_IN_CONFIG = 7
"""The first version of Prisma that refuses a URL in schema.prisma."""

CONFIGS = tuple(
    f"{stem}.{end}" for stem in ("prisma.config", ".config/prisma") for end in ("ts", "js", "mts", "mjs", "cts", "cjs")
)
_BLOCK = re.compile(r"^([^\S\n]*)datasource\s+\w+\s*\{(.*?)^[^\S\n]*\}", re.MULTILINE | re.DOTALL)
_PROVIDER = re.compile(r'^(\s*provider\s*=\s*)"sqlite"', re.MULTILINE)
_URL = re.compile(r"^([^\S\n]*)(url)([^\S\n]*)=[^\S\n]*([^\n]*?)([^\S\n]*(?://[^\n]*)?)$", re.MULTILINE)
_DIRECT = re.compile(r"^\s*directUrl\s*=", re.MULTILINE)
_SOURCE = re.compile(r"\bdatasource\s*:\s*\{(?P<inside>[^{}]*)\}", re.DOTALL)
_CONFIG_URL = re.compile(r"""(\burl\s*:\s*)(env\(\s*(?:"\w+"|'\w+')\s*\)|[^,\n}]*?)(\s*(?:,|\n|$))""")
_MIGRATIONS = re.compile(r"""\bmigrations\s*:\s*\{[^{}]*?\bpath\s*:\s*["']([^"']+)["']""", re.DOTALL)
_NAMED = re.compile(r"""env\(\s*["'](\w+)["']\s*\)|process\.env(?:\.|\[\s*["'])(\w+)""")
_ENV = re.compile(r"""import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*["']prisma/config["']""")

_NEW_CONFIG = """\
import {{ defineConfig, env }} from "prisma/config";

export default defineConfig({{
  schema: "{schema}",
  migrations: {{ path: "{migrations}" }},
  datasource: {{ url: env("{direct}") }},
}});
"""


def in_schema(text: str, version: int) -> str:
    """Return a schema file's text with its datasource on PostgreSQL, as that version of Prisma wants it."""
    block = _BLOCK.search(text)
    if block is None:
        return text
    inside = _PROVIDER.sub(r'\1"postgresql"', block[2])
    url = _URL.search(inside)
    if version < URL_IN_CONFIG and url is None:
        inside = f'{inside.rstrip()}\n  url       = env("{POOLED}")\n  directUrl = env("{DIRECT}")\n'
    elif version < URL_IN_CONFIG and url is not None:
        named = url[4] if url[4].startswith("env(") else f'env("{POOLED}")'
        direct = "" if _DIRECT.search(inside) else f'\n{url[1]}directUrl = env("{DIRECT}")'
        inside = f"{inside[: url.start()]}{url[1]}url{url[3]}= {named}{url[5]}{direct}{inside[url.end() :]}"
    return text[: block.start(2)] + inside + text[block.end(2) :]


def has_url(text: str) -> bool:
    """Return whether a schema's text names a URL in its datasource."""
    block = _BLOCK.search(text)
    return block is not None and _URL.search(block[2]) is not None


def variable(*texts: str) -> str:
    """Return the setting that names the application's database, by the texts of its schema and its Prisma config."""
    named = (m for block in map(_block, texts) for m in (_NAMED.search(block),) if m)
    return next((m[1] or m[2] for m in named if (m[1] or m[2]) != DIRECT), POOLED)


def _block(text: str) -> str:
    found = _BLOCK.search(text) or _SOURCE.search(text)
    url = re.search(r"\burl\b.*", found[0]) if found else None
    return url[0] if url else ""


def in_config(text: str) -> str:
    """Return a Prisma config's text whose datasource is reached by the direct URL."""
    source = _SOURCE.search(text)
    if source is None:
        return text
    named = f'env("{DIRECT}")' if _ENV.search(text) else f"process.env.{DIRECT}"
    inside = _CONFIG_URL.sub(lambda m: f"{m[1]}{named}{m[3]}", source["inside"], count=1)
    return text[: source.start("inside")] + inside + text[source.end("inside") :]


def new_config(schema: str, migrations: str) -> str:
    """Return a Prisma config for a project that has none; paths are relative to the project, with slashes."""
    return _NEW_CONFIG.format(schema=schema, migrations=migrations, direct=DIRECT)


def config(folder: Path) -> Path | None:
    """Return the project's Prisma config, None when it has none."""
    return next((folder / name for name in CONFIGS if (folder / name).is_file()), None)


def migrations(folder: Path, schema: Path) -> Path:
    """Return the folder of the migrations: the one that the config names, or where Prisma looks by itself."""
    found = config(folder)
    named = _MIGRATIONS.search(found.read_text(encoding="utf-8-sig")) if found else None
    if named is not None:
        return folder / named[1]
    beside = schema if schema.is_dir() else schema.parent
    places = (beside / "migrations", beside.parent / "migrations")
    return next((p for p in places if p.is_dir()), places[0])
