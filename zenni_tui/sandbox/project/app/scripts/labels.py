"""Prints each service with its labels."""

import sqlite3

database = sqlite3.connect("prisma/dev.db")
rows = database.execute(
    'SELECT s."id", group_concat(t."label", \', \') AS "labels" FROM "Service" s'
    ' JOIN "_ServiceToTag" st ON st."A" = s."id" JOIN "Tag" t ON t."id" = st."B"'
    ' GROUP BY s."id" ORDER BY s."id"'
)
for service, labels in rows:
    print(service, labels)
