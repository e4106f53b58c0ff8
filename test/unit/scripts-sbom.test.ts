// The bills of materials of both images: they are CycloneDX, name what is shipped, and nothing of the machine that made them.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { beforeAll, expect, it } from "vitest";
import { controlPlaneBill, filterBill, type Bill, type Component } from "../../scripts/image/bill.js";
import { projectRoot } from "../../scripts/project-root.js";
import { runCommand } from "../../scripts/run-command.js";

/** The schema as CycloneDX publishes it, and those that it refers to. */
const SCHEMAS = ["bom-1.5", "spdx", "jsf-0.82"];
const library = dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json"));

/** As they refer to one another. */
const schemaId = (name: string): string => `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`;

function violations(bill: Bill): unknown {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Of RFC 6531 and 3987; the library above has no checks of its own for them.
  for (const format of ["idn-email", "iri-reference"]) ajv.addFormat(format, true);
  for (const name of SCHEMAS) {
    const text = readFileSync(join(library, `res/schema/${name}.SNAPSHOT.schema.json`), "utf8");
    ajv.addSchema(JSON.parse(text) as object, schemaId(name));
  }
  ajv.validate(schemaId("bom-1.5"), bill);
  return ajv.errors;
}

interface Packages {
  readonly packages: Readonly<Record<string, { readonly version: string }>>;
}

interface Project {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const inProject = (file: string): unknown => JSON.parse(readFileSync(join(projectRoot, file), "utf8")) as unknown;
const project = inProject("package.json") as Project;
const RUNNING = Object.keys(project.dependencies);

const MODULE = { name: "sluice.wasm", bytes: Buffer.from("bytes of a module") };
const namesOf = ({ components }: Bill): string[] => components.map(({ name }) => name);

let tree: Bill;

beforeAll(async () => {
  const args = ["sbom", "--sbom-format=cyclonedx"];
  const { code, stdout, output } = await runCommand("npm", args, { env: process.env, cwd: projectRoot });
  expect(code, output).toBe(0);
  tree = JSON.parse(stdout) as Bill;
});

it("the bills of both images are CycloneDX as its schema says", () => {
  const time = "2026-12-01T00:00:00.000Z";
  for (const one of [controlPlaneBill(tree, RUNNING, time), filterBill(tree, [MODULE], undefined)])
    expect(violations(one)).toBeNull();
  expect(violations({ ...controlPlaneBill(tree, RUNNING, time), bomFormat: "Other" })).not.toBeNull();
});

it("the control plane's bill names the packages that run, in the versions that are locked", () => {
  const { packages } = inProject("package-lock.json") as Packages;
  const named = controlPlaneBill(tree, RUNNING, undefined).components.map(({ name, version }) => `${name} ${version}`);
  const locked = (name: string): string => `${name} ${packages[`node_modules/${name}`]?.version}`;
  expect(RUNNING).toContain("yaml");
  expect(RUNNING.map(locked).filter((one) => !named.includes(one))).toEqual([]);
  // Needed by one that runs, and nested in it or beside it.
  expect(named.some((one) => one.startsWith("fast-uri "))).toBe(true);
  const builders = Object.keys(project.devDependencies).filter((name) => !name.startsWith("ajv"));
  expect(builders.filter((name) => named.some((one) => one.startsWith(`${name} `)))).toEqual([]);
});

it("the filter's bill names each module by its digest, and what the compiler took into it", () => {
  const bill = filterBill(tree, [MODULE], undefined);
  expect(namesOf(bill).sort()).toEqual(["@solo-io/proxy-runtime", "assemblyscript", "sluice.wasm"]);
  const found = (name: string): Component | undefined => bill.components.find((one) => one.name === name);
  // A package of others needs an older one, which is in the tree too.
  expect(found("assemblyscript")).toMatchObject({ version: project.devDependencies.assemblyscript, scope: "required" });
  expect(found("sluice.wasm")?.hashes).toEqual([
    { alg: "SHA-256", content: "4aee2efca18649003011197e566dd5452579214ee5bd40d4759e4d450aa48cb9" },
  ]);
});

it("a bill is the same whatever the folder, the hour and the registry it is made with", () => {
  const elsewhere: Bill = {
    ...tree,
    serialNumber: "urn:uuid:00000000-0000-4000-8000-000000000000",
    metadata: {
      ...tree.metadata,
      timestamp: "2001-01-01T00:00:00.000Z",
      component: { ...tree.metadata.component, name: "another-folder" },
    },
    components: tree.components.toReversed().map((one) => ({
      ...one,
      externalReferences: [...(one.externalReferences ?? []), { type: "distribution", url: "https://mirror.example" }],
    })),
  };
  const text = (bill: Bill): string => JSON.stringify(controlPlaneBill(bill, RUNNING, undefined));
  expect(text(elsewhere)).toBe(text(tree));
  expect(text(elsewhere)).not.toContain("timestamp");
});

it("a bill of other content has another serial number", () => {
  const [one, other] = [MODULE, { ...MODULE, bytes: Buffer.from("other bytes") }].map(
    (module) => filterBill(tree, [module], undefined).serialNumber,
  );
  expect(one).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(other).not.toBe(one);
});
