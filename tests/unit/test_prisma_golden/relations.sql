-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Code" AS ENUM ('X');

-- CreateTable
CREATE TABLE "Zebra" (
    "id" SERIAL NOT NULL,
    "email" TEXT NOT NULL,
    "rank" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "type" TEXT,
    "enum" "Code" NOT NULL,

    CONSTRAINT "zebra key" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "tag table" (
    "the_key" TEXT NOT NULL,

    CONSTRAINT "tag table_pkey" PRIMARY KEY ("the_key")
);

-- CreateTable
CREATE TABLE "Apple" (
    "a" INTEGER NOT NULL,
    "bee" TEXT NOT NULL,
    "zebraId" INTEGER,
    "parentA" INTEGER NOT NULL,
    "parentB" TEXT NOT NULL,
    "halfA" INTEGER,
    "halfB" TEXT NOT NULL,
    "bothA" INTEGER,
    "bothB" TEXT,
    "cherryId" INTEGER DEFAULT 1,

    CONSTRAINT "apple_pk" PRIMARY KEY ("a","bee")
);

-- CreateTable
CREATE TABLE "Cherry" (
    "id" INTEGER NOT NULL,

    CONSTRAINT "Cherry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Profile" (
    "appleA" INTEGER NOT NULL,
    "appleB" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "Coded" (
    "id" "Code" NOT NULL,

    CONSTRAINT "Coded_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Loose" (
    "x" INTEGER
);

-- CreateTable
CREATE TABLE "_friends" (
    "A" INTEGER NOT NULL,
    "B" INTEGER NOT NULL,

    CONSTRAINT "_friends_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateTable
CREATE TABLE "_TagToZebra" (
    "A" TEXT NOT NULL,
    "B" INTEGER NOT NULL,

    CONSTRAINT "_TagToZebra_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateTable
CREATE TABLE "_second" (
    "A" TEXT NOT NULL,
    "B" INTEGER NOT NULL,

    CONSTRAINT "_second_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateTable
CREATE TABLE "_CodedToZebra" (
    "A" "Code" NOT NULL,
    "B" INTEGER NOT NULL,

    CONSTRAINT "_CodedToZebra_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateIndex
CREATE UNIQUE INDEX "zebra mail" ON "Zebra"("email");

-- CreateIndex
CREATE UNIQUE INDEX "Zebra_rank_key" ON "Zebra"("rank" DESC);

-- CreateIndex
CREATE INDEX "oldName" ON "Zebra"("email", "rank" DESC);

-- CreateIndex
CREATE INDEX "Zebra_type_idx" ON "Zebra"("type");

-- CreateIndex
CREATE INDEX "by_rank" ON "Zebra"("rank" ASC, "type");

-- CreateIndex
CREATE UNIQUE INDEX "Zebra_email_rank_key" ON "Zebra"("email", "rank");

-- CreateIndex
CREATE UNIQUE INDEX "by model" ON "Zebra"("model", "type" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "Zebra_model_key" ON "Zebra"("model");

-- CreateIndex
CREATE UNIQUE INDEX "Profile_appleA_appleB_key" ON "Profile"("appleA", "appleB");

-- CreateIndex
CREATE INDEX "_friends_B_index" ON "_friends"("B");

-- CreateIndex
CREATE INDEX "_TagToZebra_B_index" ON "_TagToZebra"("B");

-- CreateIndex
CREATE INDEX "_second_B_index" ON "_second"("B");

-- CreateIndex
CREATE INDEX "_CodedToZebra_B_index" ON "_CodedToZebra"("B");

-- AddForeignKey
ALTER TABLE "Apple" ADD CONSTRAINT "apple to zebra" FOREIGN KEY ("zebraId") REFERENCES "Zebra"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Apple" ADD CONSTRAINT "Apple_parentA_parentB_fkey" FOREIGN KEY ("parentA", "parentB") REFERENCES "Apple"("a", "bee") ON DELETE CASCADE ON UPDATE NO ACTION;

-- AddForeignKey
ALTER TABLE "Apple" ADD CONSTRAINT "Apple_halfA_halfB_fkey" FOREIGN KEY ("halfA", "halfB") REFERENCES "Apple"("a", "bee") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Apple" ADD CONSTRAINT "Apple_bothA_bothB_fkey" FOREIGN KEY ("bothA", "bothB") REFERENCES "Apple"("a", "bee") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Apple" ADD CONSTRAINT "Apple_cherryId_fkey" FOREIGN KEY ("cherryId") REFERENCES "Cherry"("id") ON DELETE SET DEFAULT ON UPDATE SET NULL;

-- AddForeignKey
ALTER TABLE "Profile" ADD CONSTRAINT "Profile_appleA_appleB_fkey" FOREIGN KEY ("appleA", "appleB") REFERENCES "Apple"("a", "bee") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_friends" ADD CONSTRAINT "_friends_A_fkey" FOREIGN KEY ("A") REFERENCES "Zebra"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_friends" ADD CONSTRAINT "_friends_B_fkey" FOREIGN KEY ("B") REFERENCES "Zebra"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_TagToZebra" ADD CONSTRAINT "_TagToZebra_A_fkey" FOREIGN KEY ("A") REFERENCES "tag table"("the_key") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_TagToZebra" ADD CONSTRAINT "_TagToZebra_B_fkey" FOREIGN KEY ("B") REFERENCES "Zebra"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_second" ADD CONSTRAINT "_second_A_fkey" FOREIGN KEY ("A") REFERENCES "tag table"("the_key") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_second" ADD CONSTRAINT "_second_B_fkey" FOREIGN KEY ("B") REFERENCES "Zebra"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_CodedToZebra" ADD CONSTRAINT "_CodedToZebra_A_fkey" FOREIGN KEY ("A") REFERENCES "Coded"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_CodedToZebra" ADD CONSTRAINT "_CodedToZebra_B_fkey" FOREIGN KEY ("B") REFERENCES "Zebra"("id") ON DELETE CASCADE ON UPDATE CASCADE;
