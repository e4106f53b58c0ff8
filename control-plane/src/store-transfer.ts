// The commands of `store-admin` that are about any store: a copy of one into another, and an empty Redis made one.
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";

import type { FileReader } from "./files/file-reader.js";
import { nodeTimers } from "./files/node-timers.js";
import { EnvironmentReader } from "./settings/environment.js";
import type { Environment } from "./settings/environment.js";
import { readNamedStore } from "./settings/named-store.js";
import { readSecretFile, readSecretFiles } from "./settings/secret-files.js";
import { readStoreAddress } from "./settings/store-address.js";
import type { StoreSources } from "./settings/store-address.js";
import type { SecretVariable } from "./settings/variables.js";
import { EXIT } from "./start-failure.js";
import { copyStore } from "./store/copy/copy-store.js";
import type { DigestState } from "./store/copy/store-image.js";
import { initStore, openCopySource, openCopyTarget } from "./store/open-images.js";
import type { ImageOptions } from "./store/open-images.js";
import { storeNamed } from "./store/store-address.js";
import type { StoreAddress } from "./store/store-address.js";

/** Options as they were given: of each store, itself or the file that holds it. */
export interface Transfer {
  readonly from?: string | undefined;
  readonly "from-file"?: string | undefined;
  readonly to?: string | undefined;
  readonly "to-file"?: string | undefined;
  readonly at?: string | undefined;
  readonly "at-file"?: string | undefined;
  readonly stopped: boolean;
}

export interface Surroundings {
  readonly env: Environment;
  readonly files: FileReader;
  /** Sentences that are no failure, and how far it is. */
  readonly warn: (sentence: string) => void;
  readonly progress: (line: string) => void;
}

/** `exit` 0: done, with what is to be said of it. */
export interface TransferEnd {
  readonly exit: number;
  readonly sentences: readonly string[];
}

const USAGE_EXIT = 2;
const STORE_SECRETS: readonly SecretVariable[] = ["SLUICE_STORE", "SLUICE_STORE_SENTINEL"];

const PARTS: ImageOptions = { random: { bytes: (n) => randomBytes(n) }, timers: nodeTimers };

/** Rejects as the stores do that it opens. */
export async function runCopy(asked: Transfer, around: Surroundings): Promise<TransferEnd> {
  const { sources, broken } = await sourcesOf(around);
  const from = await addressAt("from", asked, sources, around);
  const to = await addressAt("to", asked, sources, around);
  if (broken.length > 0) return { exit: EXIT.config, sentences: broken };
  if (from === undefined || to === undefined || sources.violations.length > 0) {
    return { exit: USAGE_EXIT, sentences: sources.violations };
  }
  return copy(from, to, asked.stopped, around);
}

async function copy(
  from: StoreAddress,
  to: StoreAddress,
  isStopped: boolean,
  { progress }: Surroundings,
): Promise<TransferEnd> {
  const source = await openCopySource(from, { ...PARTS, isStopped }).catch(failing(from));
  try {
    const target = await openCopyTarget(to, PARTS).catch(failing(to));
    try {
      const outcome = await copyStore({ source, target, monotonicMs: () => performance.now(), say: progress });
      if (!outcome.ok) return { exit: EXIT.failed, sentences: [outcome.reason] };
      const counts = `${countsOf(outcome.copied)}; compared, checksum ${outcome.checksum}`;
      return { exit: 0, sentences: [`${from.shown} is in ${to.shown}: ${counts}`] };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Which of the two stores it was. */
const failing = (address: StoreAddress) => (error: unknown) => {
  if (error instanceof Error) error.message = `${storeNamed(address)}: ${error.message}`;
  throw error;
};

const countsOf = ({ sessions, policies, audit, creationKeys, revocations }: DigestState): string =>
  [
    `${sessions.rows} sessions`,
    `${policies.rows} generations of the policy`,
    `${audit.rows} audit entries`,
    `${creationKeys.rows} creation keys`,
    `${revocations.rows} bulk revocations`,
  ].join(", ");

/** Rejects as the store does that it opens. */
export async function runInit(asked: Transfer, around: Surroundings): Promise<TransferEnd> {
  const { sources, broken } = await sourcesOf(around);
  const isNamed = asked.at !== undefined || asked["at-file"] !== undefined;
  const at = isNamed ? await addressAt("at", asked, sources, around) : readStoreAddress(sources);
  const exit = isNamed && broken.length === 0 ? USAGE_EXIT : EXIT.config;
  const wrong = [...broken, ...sources.violations];
  if (at === undefined || wrong.length > 0) return { exit, sentences: wrong };
  const isNew = await initStore(at, PARTS).catch(failing(at));
  return { exit: 0, sentences: [`${at.shown} is ${isNew ? "an empty store" : "a store already, and stays as it is"}`] };
}

/** `broken`: what is wrong with the environment's own files. */
async function sourcesOf({ env, files }: Surroundings): Promise<{ sources: StoreSources; broken: readonly string[] }> {
  const secrets = await readSecretFiles(env, (path, maxBytes) => files.read(path, maxBytes), STORE_SECRETS);
  const violations: string[] = [];
  const reader = new EnvironmentReader(secrets.env, ({ variable, expected, given }) =>
    violations.push(`${variable}: expected ${expected}, got "${given}"`),
  );
  const sourceOf = (name: SecretVariable): string => secrets.files.get(name)?.variable ?? name;
  return { sources: { reader, violations, sourceOf }, broken: secrets.violations };
}

async function addressAt(
  name: "from" | "to" | "at",
  asked: Transfer,
  sources: StoreSources,
  { files, warn }: Surroundings,
): Promise<StoreAddress | undefined> {
  const [option, path] = [`--${name}`, asked[`${name}-file`]];
  if (path === undefined) return readNamedStore({ option, text: asked[name], fileText: undefined }, sources);
  const file = { variable: `${option}-file`, path };
  const reading = await readSecretFile(file, (at, maxBytes) => files.read(at, maxBytes));
  if (!reading.ok) {
    sources.violations.push(reading.violation);
    return undefined;
  }
  if (await files.isWorldReadable(path)) {
    warn(`${file.variable}: every user of this machine may read ${path}: take that away (chmod o-r)`);
  }
  return readNamedStore({ option, text: asked[name], fileText: reading.text }, sources);
}
