-- Labels that every installation has.
INSERT INTO "Tag" ("label") VALUES ('hieronta') ON CONFLICT ("label") DO NOTHING;

-- Services offered since the first day.
SELECT "id", date("createdAt" / 1000, 'unixepoch') AS "since"
FROM "Service"
WHERE "createdAt" >= 1693440000000
ORDER BY "id";

SELECT count(*) AS "n" FROM "Booking" WHERE "notes" IS NULL;
