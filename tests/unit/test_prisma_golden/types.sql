-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "user_role" AS ENUM ('USER', 'the admin', 'GUEST');

-- CreateEnum
CREATE TYPE "Unused" AS ENUM ('a', 'b-b');

-- CreateTable
CREATE TABLE "Everything" (
    "id" SERIAL NOT NULL,
    "big" BIGSERIAL NOT NULL,
    "small" SMALLSERIAL NOT NULL,
    "role" "user_role" NOT NULL DEFAULT 'the admin',
    "maybe" "user_role" DEFAULT 'GUEST',
    "given" "user_role" NOT NULL DEFAULT 'USER'::user_role,
    "text" TEXT NOT NULL DEFAULT 'a\b
"x" it''s ä // no comment',
    "empty" TEXT NOT NULL DEFAULT '',
    "emoji" VARCHAR(40) NOT NULL DEFAULT '😀/',
    "neg" INTEGER NOT NULL DEFAULT -5,
    "zeros" INTEGER NOT NULL DEFAULT 7,
    "float" DOUBLE PRECISION NOT NULL DEFAULT 3.140,
    "tiny" DOUBLE PRECISION NOT NULL DEFAULT 0.0000000001,
    "huge" DOUBLE PRECISION NOT NULL DEFAULT 1000000000000000000000,
    "dec" DECIMAL(65,30) NOT NULL DEFAULT 1.50,
    "decs" DECIMAL(65,30) NOT NULL DEFAULT 12.3400,
    "exp" DECIMAL(65,30) NOT NULL DEFAULT 100000,
    "long" BIGINT NOT NULL DEFAULT 9007199254740993,
    "json" JSONB NOT NULL DEFAULT '{"a": [1, "it''s"]}',
    "bytes" BYTEA NOT NULL DEFAULT '\x68656c6c6f',
    "when" TIMESTAMP(3) NOT NULL DEFAULT '2020-01-02 03:04:05.678 +00:00',
    "whole" TIMESTAMP(3) NOT NULL DEFAULT '2020-01-02 03:04:05 +02:00',
    "exact" TIMESTAMPTZ(6) NOT NULL DEFAULT '2020-01-02 03:04:05.123400 +00:00',
    "day" DATE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "yes" BOOLEAN NOT NULL DEFAULT true,
    "uuid" UUID NOT NULL DEFAULT gen_random_uuid(),
    "blank" TEXT NOT NULL,
    "uu" TEXT NOT NULL,
    "cu" TEXT NOT NULL,
    "nano" TEXT NOT NULL,
    "ul" TEXT NOT NULL,
    "hidden" TEXT,
    "updated" TIMESTAMP(3) NOT NULL,
    "päivä määrä" INTEGER,

    CONSTRAINT "Everything_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Native" (
    "id" UUID NOT NULL,
    "a" TEXT NOT NULL,
    "b" VARCHAR NOT NULL,
    "c" CHAR(3) NOT NULL,
    "d" SMALLINT NOT NULL,
    "e" INTEGER NOT NULL,
    "f" BIGINT NOT NULL,
    "g" REAL NOT NULL,
    "h" DOUBLE PRECISION NOT NULL,
    "i" DECIMAL(10,2) NOT NULL,
    "j" DECIMAL NOT NULL,
    "k" TIMESTAMP(6) NOT NULL,
    "l" TIMESTAMPTZ NOT NULL,
    "m" TIMESTAMP NOT NULL,
    "n" TIME(0) NOT NULL,
    "o" TIME NOT NULL,
    "p" JSONB NOT NULL,
    "q" JSON NOT NULL,
    "r" BYTEA NOT NULL,
    "s" BOOLEAN NOT NULL,

    CONSTRAINT "Native_pkey" PRIMARY KEY ("id")
);
