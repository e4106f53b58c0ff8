// `npm run image -- build` and `push`: the filter as an image, in a folder or in a registry. On stdout the digest, and nothing else.
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describe, Failure } from "../failure.js";
import { projectRoot } from "../project-root.js";
import { annotationsOf } from "./annotations.js";
import { credentialsFor } from "./credentials.js";
import { filterImage, type FilterImage } from "./filter-image.js";
import { writeLayout } from "./layout.js";
import { push } from "./push.js";
import { imageName, referenceOf, type Scheme } from "./reference.js";
import { Repository } from "./registry.js";

const USAGE = `usage:
  npm run image -- build [--filter FILE] [--out DIR]   the image as a folder (OCI layout); prints its digest
  npm run image -- push REF [--filter FILE]            the image to a registry, REF is REGISTRY/NAME:TAG; prints REF@digest
      --plain-http | --https   how the registry is asked; without: HTTPS, and plain HTTP on this machine
      --move                   let a tag that names another image name this one
FILE is build/sluice.wasm where none is named, DIR build/image/ with the file's name. --revision COMMIT|none: what the image says
it was built from; without: the commit of this clone, where its files are as committed`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const OF_BOTH = { filter: text, revision: text } as const;
const OPTIONS = {
  build: { ...OF_BOTH, out: text },
  push: { ...OF_BOTH, "plain-http": flag, https: flag, move: flag },
} as const;

interface Asked {
  readonly command: keyof typeof OPTIONS;
  /** Of a push. */
  readonly reference: string;
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** A registry that takes longer for one request has stopped answering. */
const REQUEST_MS = 120_000;

const say = (sentence: string): void => void process.stderr.write(`image: ${sentence}\n`);
const optional = (value: string | boolean | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

function read([name = "", ...args]: string[]): Asked | undefined {
  if (!Object.hasOwn(OPTIONS, name)) return undefined;
  const command = name as Asked["command"];
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS[command], allowPositionals: true });
    const [reference = "", ...more] = positionals;
    if (more.length > 0 || (command === "push") !== (reference !== "")) return undefined;
    const asked = { command, reference, values: { ...values } as Asked["values"] };
    return asked.values["plain-http"] === true && asked.values.https === true ? undefined : asked;
  } catch {
    return undefined;
  }
}

interface Built {
  readonly image: FilterImage;
  readonly title: string;
  readonly version: string;
}

async function built({ values }: Asked): Promise<Built> {
  // Of the folder that the command was called in, which npm tells.
  const here = process.env.INIT_CWD ?? process.cwd();
  const named = optional(values.filter);
  const file = named === undefined ? join(projectRoot, "build/sluice.wasm") : resolve(here, named);
  if (!existsSync(file)) throw new Failure(`there is no ${file}: npm run build:filter makes the filter's builds`);
  const source = { root: projectRoot, env: process.env, revision: optional(values.revision) };
  const annotations = await annotationsOf(file, source);
  const revision = annotations["org.opencontainers.image.revision"];
  if (revision === undefined) say("names no commit as its source");
  const version = annotations["org.opencontainers.image.version"] ?? "";
  return { image: filterImage(readFileSync(file), annotations, file), title: basename(file, ".wasm"), version };
}

async function build(asked: Asked): Promise<string> {
  const { image, title, version } = await built(asked);
  const named = optional(asked.values.out);
  const out = resolve(process.env.INIT_CWD ?? ".", named ?? join(projectRoot, "build/image", title));
  writeLayout(image, version, out);
  say(`${title} is in ${out}`);
  return image.manifest.digest;
}

async function pushed(asked: Asked): Promise<string> {
  const scheme: Scheme =
    asked.values["plain-http"] === true ? "http" : asked.values.https === true ? "https" : undefined;
  const reference = referenceOf(asked.reference, scheme);
  const held = credentialsFor(reference.host, process.env);
  const { image } = await built(asked);
  const repository = new Repository({ reference, held, fetch, timeoutMs: REQUEST_MS });
  const move = asked.values.move === true;
  const { uploaded, before } = await push(repository, { image, tag: reference.tag, move });
  if (before === image.manifest.digest) say(`${imageName(reference)} is this image already`);
  else say(`${imageName(reference)}: ${uploaded} of 2 blobs sent${before === undefined ? "" : `; it named ${before}`}`);
  return `${imageName(reference)}@${image.manifest.digest}`;
}

const asked = read(process.argv.slice(2));
if (asked === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else {
  try {
    process.stdout.write(`${await (asked.command === "build" ? build(asked) : pushed(asked))}\n`);
  } catch (error) {
    say(describe(error));
    process.exitCode = 1;
  }
}
