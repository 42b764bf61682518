import { createClient } from "@libsql/client";
import { PrismaLibSQL as Adapter } from "@prisma/adapter-libsql";
import { PrismaClient } from "@prisma/client";

// The file is "(here)" by default.
const libsql = createClient({ url: process.env.SHOP_DATABASE_URL ?? `file:${process.cwd()}/dev.db` });

export const prisma = new PrismaClient({ adapter: new Adapter(libsql), log: ["warn"] });
