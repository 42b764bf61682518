import { prisma } from "../../lib/db";

export async function active() {
  return prisma.$queryRaw`SELECT s."id", s."name" FROM "Service" s WHERE s."active" ORDER BY s."order"`;
}

export async function load() {
  return prisma.$queryRaw`
    SELECT s."id", count(b."id") AS "n"
    FROM "Service" s
    LEFT JOIN "Booking" b ON b."serviceId" = s."id"
    GROUP BY s."id"
    ORDER BY s."id"
  `;
}

export async function tags(serviceId: string) {
  return prisma.$queryRaw`
    SELECT t."id", t."label"
    FROM "Tag" t
    JOIN "_ServiceToTag" st ON st."B" = t."id"
    WHERE st."A" = ${serviceId}
    ORDER BY t."id"
  `;
}

export async function prices() {
  return prisma.$queryRaw`SELECT min("price") AS "least", max("price") AS "most" FROM "Service"`;
}

export async function popular(least: number) {
  return prisma.$queryRaw`
    WITH counted AS (SELECT "serviceId", count(*) AS "n" FROM "Booking" GROUP BY "serviceId")
    SELECT s."name", c."n"
    FROM "Service" s
    JOIN counted c ON c."serviceId" = s."id"
    WHERE s."duration" >= ${least}
    ORDER BY s."id"
  `;
}

export async function numbered() {
  return prisma.$queryRaw`
    SELECT "id", ROW_NUMBER() OVER (PARTITION BY "active" ORDER BY "id") AS "position" FROM "Service" ORDER BY "id"
  `;
}

export async function unbooked() {
  return prisma.$queryRaw`
    SELECT "id" FROM "Tag" WHERE "id" NOT IN (SELECT "B" FROM "_ServiceToTag" WHERE "A" IN (SELECT "id" FROM "Service" WHERE "duration" > 60)) ORDER BY "id"
  `;
}

export async function words() {
  return prisma.$queryRaw`
    SELECT "name" AS "word" FROM "Service" UNION SELECT "label" AS "word" FROM "Tag"
  `;
}

export async function named(name: string) {
  return prisma.$queryRaw`SELECT "id" FROM "Service" WHERE lower("nameEn") = lower(${name})`;
}

export async function page(size: number, from: number) {
  return prisma.$queryRawUnsafe('SELECT "id", "name" FROM "Service" ORDER BY "id" LIMIT $1 OFFSET $2', size, from);
}

export async function lasting(least: number, most: number) {
  return prisma.$queryRawUnsafe(
    'SELECT "id", "name" FROM "Service" WHERE "duration" BETWEEN $1 AND $2 ORDER BY "id"',
    least,
    most,
  );
}

export async function minutes() {
  return prisma.$queryRaw`SELECT sum("duration") AS "minutes", count(DISTINCT "currency") AS "currencies" FROM "Service"`;
}

export async function makeRoom(order: number) {
  return prisma.$executeRaw`UPDATE "Service" SET "order" = "order" + 1 WHERE "order" >= ${order}`;
}

export async function opening() {
  return prisma.$queryRaw`
    SELECT "dayOfWeek", nullif(trim("startTime"), '') AS "from", length("endTime") AS "length"
    FROM "Availability"
    WHERE "startTime" LIKE '09:%' OR "isAvailable" = FALSE
    ORDER BY "dayOfWeek"
  `;
}

// What follows knows SQLite only.

export async function shown() {
  return prisma.$queryRaw`SELECT "id", "name" FROM "Service" WHERE "active" = 1 ORDER BY "order"`;
}

export async function massages() {
  return prisma.$queryRaw`SELECT "id", "nameEn" FROM "Service" WHERE "nameEn" GLOB '*massage*' ORDER BY "id"`;
}

export async function newestTags() {
  return prisma.$queryRaw`SELECT rowid, "label" FROM "Tag" ORDER BY rowid DESC`;
}

export async function keepTag(id: number, label: string) {
  return prisma.$executeRaw`INSERT OR REPLACE INTO "Tag" ("id", "label") VALUES (${id}, ${label})`;
}

export async function openedByMonth() {
  return prisma.$queryRaw`
    SELECT strftime('%Y-%m', "createdAt" / 1000, 'unixepoch') AS "month", count(*) AS "n"
    FROM "Availability"
    WHERE "createdAt" < strftime('%s', 'now') * 1000
    GROUP BY "month"
    ORDER BY "month"
  `;
}
