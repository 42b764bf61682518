import { prisma } from "./db";

type Wish = { serviceId: string; customerName: string; startTime: Date; endTime: Date };

export async function find(text: string) {
  return prisma.booking.findMany({
    where: {
      OR: [{ customerName: { contains: text } }, { customerEmail: { startsWith: text, mode: "insensitive" } }],
    },
    orderBy: [{ startTime: "asc" }, { notes: "asc" }],
    take: 50,
  });
}

export async function book(wish: Wish) {
  return prisma.$transaction(async (tx) => {
    const taken = await tx.booking.count({
      where: { serviceId: wish.serviceId, startTime: { lt: wish.endTime }, endTime: { gt: wish.startTime } },
    });
    if (taken > 0) {
      throw new Error("That time is taken.");
    }
    return tx.booking.create({ data: { ...wish, date: wish.startTime, customerEmail: "" } });
  });
}
