-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit" (
    "id" INTEGER NOT NULL,
    "aVeryLongFieldNameThatGoesOnAndOn" INTEGER NOT NULL,
    "anotherVeryLongFieldNameThatGoesOn" INTEGER NOT NULL,

    CONSTRAINT "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ääääääääääääääääääääääääääääääx" (
    "id" INTEGER NOT NULL,

    CONSTRAINT "äääääääääääääääääääääääääääää_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOneIsTooLon" (
    "A" INTEGER NOT NULL,
    "B" INTEGER NOT NULL,

    CONSTRAINT "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOne_AB_pkey" PRIMARY KEY ("A","B")
);

-- CreateIndex
CREATE UNIQUE INDEX "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit_anotherVeryL_key" ON "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit"("anotherVeryLongFieldNameThatGoesOn");

-- CreateIndex
CREATE INDEX "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit_aVeryLongFie_idx" ON "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit"("aVeryLongFieldNameThatGoesOnAndOn", "anotherVeryLongFieldNameThatGoesOn");

-- CreateIndex
CREATE UNIQUE INDEX "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit_aVeryLongFie_key" ON "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit"("aVeryLongFieldNameThatGoesOnAndOn", "anotherVeryLongFieldNameThatGoesOn");

-- CreateIndex
CREATE INDEX "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOne_B_index" ON "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOneIsTooLon"("B");

-- AddForeignKey
ALTER TABLE "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit" ADD CONSTRAINT "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit_aVeryLongFi_fkey" FOREIGN KEY ("aVeryLongFieldNameThatGoesOnAndOn") REFERENCES "ääääääääääääääääääääääääääääääx"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOneIsTooLon" ADD CONSTRAINT "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOneI_A_fkey" FOREIGN KEY ("A") REFERENCES "AVeryLongModelNameThatGoesOnAndOnUntilTheLimit"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOneIsTooLon" ADD CONSTRAINT "_relationNamesMayBeAsLongAsOneLikesToMakeThemAndThisOneI_B_fkey" FOREIGN KEY ("B") REFERENCES "ääääääääääääääääääääääääääääääx"("id") ON DELETE CASCADE ON UPDATE CASCADE;
