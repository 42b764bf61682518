import { Prisma } from "../../../prisma/client";
import { prisma } from "../../lib/db";

type Row = { id: string; customerName: string };

export async function ofService(serviceId: string) {
  return prisma.$queryRaw<Row[]>`
    SELECT "id", "customerName", "startTime"
    FROM "Booking"
    WHERE "serviceId" = ${serviceId}
    ORDER BY "id"
  `;
}

export async function countByStatus(status: string) {
  return prisma.$queryRaw`SELECT count(*) AS "n" FROM "Booking" WHERE "status" = ${status}`;
}

export async function byCancellation(cancellationId: string) {
  const [found] = await prisma.$queryRaw<Row[]>`
    SELECT b."id", b."customerName", s."name"
    FROM "Booking" b
    JOIN "Service" s ON s."id" = b."serviceId"
    WHERE b."cancellationId" = ${cancellationId}
  `;
  return found;
}

export async function perService() {
  return prisma.$queryRaw`
    SELECT "serviceId", count(*) AS "n" FROM "Booking" GROUP BY "serviceId" ORDER BY "serviceId"
  `;
}

export async function between(from: Date, to: Date) {
  return prisma.$queryRaw<Row[]>`
    SELECT "id", "customerName" FROM "Booking"
    WHERE "startTime" >= ${from} AND "startTime" < ${to}
    ORDER BY "id"
  `;
}

export async function isKnown(email: string) {
  return prisma.$queryRaw`SELECT EXISTS(SELECT 1 FROM "Booking" WHERE "customerEmail" = ${email}) AS "known"`;
}

export async function cancel(cancellationId: string) {
  return prisma.$executeRaw`UPDATE "Booking" SET "status" = 'cancelled' WHERE "cancellationId" = ${cancellationId}`;
}

export async function remove(id: string) {
  return prisma.$executeRaw`DELETE FROM "Booking" WHERE "id" = ${id}`;
}

export async function some(ids: string[]) {
  return prisma.$queryRaw<Row[]>`
    SELECT "id", "customerName" FROM "Booking" WHERE "id" IN (${Prisma.join(ids)}) ORDER BY "id"
  `;
}

export async function phones() {
  return prisma.$queryRaw`
    SELECT "id", coalesce("customerPhone", '') AS "phone" FROM "Booking" ORDER BY "id" LIMIT 50
  `;
}

export async function kinds() {
  return prisma.$queryRaw`
    SELECT "id", CASE WHEN "status" IN ('pending', 'confirmed') THEN 'open' ELSE 'closed' END AS "kind"
    FROM "Booking"
    ORDER BY "id"
  `;
}

export async function contacts() {
  return prisma.$queryRaw`
    SELECT "id", "customerName" || ' <' || "customerEmail" || '>' AS "contact" FROM "Booking" ORDER BY "id"
  `;
}

export async function languages() {
  return prisma.$queryRaw`SELECT DISTINCT "language" FROM "Booking" ORDER BY "language"`;
}

export async function frequent() {
  return prisma.$queryRaw`
    SELECT "customerEmail", count(*) AS "n"
    FROM "Booking"
    GROUP BY "customerEmail"
    HAVING count(*) > 1
    ORDER BY "customerEmail"
  `;
}

// What follows knows SQLite only.

export async function search(text: string) {
  const pattern = `%${text}%`;
  return prisma.$queryRaw<Row[]>`
    SELECT "id", "customerName" FROM "Booking" WHERE "customerName" LIKE ${pattern} ORDER BY "id"
  `;
}

export async function withPhone() {
  return prisma.$queryRaw`SELECT "id", IFNULL("customerPhone", 'none') AS "phone" FROM "Booking" ORDER BY "id"`;
}
