// Calls functions of a project's TypeScript module, with arguments, one after the other, and prints what they return.
// usage: node call.mjs MODULE '[["name", [arguments]], ...]'
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(`${process.env.ZENNI_PRISMA}/index.js`);
const { createJiti } = require("jiti");
const module = await createJiti(import.meta.url).import(resolve(process.argv[2]));
const answers = [];
for (const [name, given] of JSON.parse(process.argv[3])) answers.push(await module[name](...given));
console.log(JSON.stringify(answers, (_, value) => (typeof value === "bigint" ? Number(value) : value)));
process.exit(0);
