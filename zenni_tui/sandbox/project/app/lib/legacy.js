// Reports written before Prisma came; they open the file by themselves.
const Database = require("better-sqlite3");

const db = new Database("prisma/dev.db", { readonly: true });

const confirmed = db.prepare('SELECT "id" FROM "Booking" WHERE "status" = "confirmed" ORDER BY "id" LIMIT 0, 20');

const ofCustomer = db.prepare(
  "SELECT id, customerName AS customerName, serviceId AS serviceId FROM Booking " +
    "WHERE customerEmail = ? AND cancellationId IS NOT NULL ORDER BY id",
);

const priceList = db.prepare(`
  SELECT "id", printf('%.2f %s', "price", "currency") AS "price"
  FROM "Service"
  WHERE "active" == TRUE
  ORDER BY "id"
`);

module.exports = { confirmed, ofCustomer, priceList };
