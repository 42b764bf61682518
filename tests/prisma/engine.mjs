#!/usr/bin/env node
// Prisma's schema engine of the release in package.json, in the form that npm has: WebAssembly, reaching PostgreSQL by
// Prisma's own adapter. It speaks the JSON-RPC that the command line speaks to the native engine, which comes from a
// server of Prisma's that is not asked here.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

if (process.argv.includes("cli")) process.exit(0); // it asks whether the database is there

const require = createRequire(`${process.env.ZENNI_PRISMA}/index.js`);
const wasm = require.resolve("@prisma/schema-engine-wasm").replace(/schema_engine\.js$/, "schema_engine_bg");
const { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } = require("@prisma/driver-adapter-utils");
const { PrismaPg } = require("@prisma/adapter-pg");

const INTERNAL_CHAR = 18; // PostgreSQL's "char", which the adapter does not know and the engine wants to have as such
const AS_TEXT = { [INTERNAL_CHAR]: 25, 19: 25, 1003: 1009 };

globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) };
const glue = await import(`${wasm}.js`);
const { instance } = await WebAssembly.instantiate(readFileSync(`${wasm}.wasm`), { "./schema_engine_bg.js": glue });
glue.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

const named = process.argv[process.argv.indexOf("--datasource") + 1];
const factory = new PrismaPg({ connectionString: JSON.parse(named).url });
const queryable = Object.getPrototypeOf(Object.getPrototypeOf(await factory.connect()));
const { performIO, queryRaw } = queryable;
queryable.performIO = async function (query) {
  const answer = await performIO.call(this, query);
  this.chars = answer.fields.map((field) => field.dataTypeID === INTERNAL_CHAR);
  for (const field of answer.fields) field.dataTypeID = AS_TEXT[field.dataTypeID] ?? field.dataTypeID;
  return answer;
};
queryable.queryRaw = async function (query) {
  const answer = await queryRaw.call(this, query);
  answer.columnTypes = answer.columnTypes.map((type, n) => (this.chars[n] ? ColumnTypeEnum.Character : type));
  return answer;
};

const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
const engine = await glue.SchemaEngine.new(
  { datamodels: undefined },
  () => {},
  bindMigrationAwareSqlAdapterFactory(factory),
);
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  try {
    const result = await engine[method](params);
    if (result?.stdout) say({ id: `print ${id}`, method: "print", params: { content: result.stdout } });
    say({ id, result: result ?? null });
  } catch (error) {
    const message = String(error.message ?? error);
    say({ id, error: { code: 1, message, data: { is_panic: false, message } } });
  }
}
