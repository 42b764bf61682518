import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { PrismaClient } from "../generated/prisma/client";

const shared = globalThis as unknown as { prisma?: PrismaClient };

function made(): PrismaClient {
  const adapter = new PrismaBetterSqlite3(
    { url: process.env.DATABASE_URL! },
    { timestampFormat: "unixepoch-ms" }, // as the old rows have it :)
  );
  return new PrismaClient({ adapter });
}

export const prisma = shared.prisma ?? made();
