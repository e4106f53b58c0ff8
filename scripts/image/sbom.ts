// `npm run sbom`: a bill of materials for each image, in build/sbom/ or `--out DIR`. SOURCE_DATE_EPOCH, in seconds, is the time
// that they name; without it they name none.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describe, Failure } from "../failure.js";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { controlPlaneBill, filterBill, type Bill } from "./bill.js";

const BUILDS = ["sluice-lean.wasm", "sluice-settle.wasm", "sluice.wasm"];

/** What npm says of the packages that are installed in the project. */
async function installed(): Promise<Bill> {
  const args = ["sbom", "--sbom-format=cyclonedx"];
  const { code, stdout, output } = await runCommand("npm", args, { env: process.env, cwd: projectRoot });
  if (code !== 0)
    throw new Failure(`npm ${args.join(" ")} failed, expected packages as npm ci installs them:\n${output}`);
  return JSON.parse(stdout) as Bill;
}

function releaseTime(epoch: string | undefined): string | undefined {
  if (epoch === undefined || epoch === "") return undefined;
  if (!/^\d{1,11}$/.test(epoch)) throw new Failure(`SOURCE_DATE_EPOCH is ${epoch}: expected whole seconds since 1970`);
  return new Date(Number(epoch) * 1000).toISOString();
}

try {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  const out =
    values.out === undefined ? join(projectRoot, "build/sbom") : resolve(process.env.INIT_CWD ?? ".", values.out);
  const time = releaseTime(process.env.SOURCE_DATE_EPOCH);
  const builds = BUILDS.map((name) => ({ name, bytes: readFileSync(join(projectRoot, "build", name)) }));
  const { dependencies } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
    dependencies: object;
  };
  const tree = await installed();
  const bills = {
    "sluice.cdx.json": controlPlaneBill(tree, Object.keys(dependencies), time),
    "sluice-filter.cdx.json": filterBill(tree, builds, time),
  };
  mkdirSync(out, { recursive: true });
  for (const [name, bill] of Object.entries(bills)) {
    writeFileSync(join(out, name), `${JSON.stringify(bill, null, 2)}\n`);
    process.stdout.write(`${join(out, name)}\n`);
  }
} catch (error) {
  process.stderr.write(`sbom: ${describe(error)}\n`);
  process.exitCode = 1;
}
