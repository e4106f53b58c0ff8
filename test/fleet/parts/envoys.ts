// The Envoys of a run: the built filter on two workers each, in front of one service.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Document } from "yaml";

import { CODE_MISSING_SESSION } from "../../../assembly/contract.js";
import { edgeSettings } from "../../../control-plane/src/render/edge-settings.js";
import { versionedFilter } from "../../../scripts/filter-file.js";
import { findEnvoy } from "../../../scripts/get-envoy.js";
import { projectRoot } from "../../../scripts/project-root.js";
import { renderEnvoy } from "../../../scripts/render-envoy.js";
import { envoyPlan } from "../../../scripts/start/envoy-process.js";
import { freePorts } from "../../../scripts/start/ports.js";
import { waitForAnswer } from "../../../scripts/start/readiness.js";
import { changed } from "../../e2e/harness/bootstrap.js";
import { EnvoyAdmin } from "../../e2e/harness/envoy-admin.js";
import { Part } from "../../e2e/harness/part.js";
import type { Site } from "./site.js";

const WORKERS = 2;
const HOST = "127.0.0.1";
const READY_TIMEOUT_MS = 60_000;
/** That the filter serves a policy: without one it answers 503. */
const SERVES = { status: 401, text: CODE_MISSING_SESSION };

export interface FleetEnvoy {
  readonly name: string;
  readonly part: Part;
  readonly admin: EnvoyAdmin;
  /** Of its listeners: the one with the filter, and those that `more` has added. */
  readonly ports: readonly number[];
}

/** Adds listeners to a bootstrap, on these ports. */
export interface MoreListeners {
  readonly count: number;
  readonly add: (document: Document, ports: readonly number[]) => void;
}

export const NO_MORE: MoreListeners = { count: 0, add: () => undefined };

/** What all of them call and serve. */
export interface Surroundings {
  readonly controlPlane: number;
  readonly service: number;
  readonly more: MoreListeners;
  /** Not given: the full one. */
  readonly filter?: "sluice" | "sluice-settle";
  /** Sessions that the table has room for; not given: the default. */
  readonly tableCapacity?: number;
}

/** Ready when it resolves. */
export async function startEnvoy(site: Site, name: string, around: Surroundings): Promise<FleetEnvoy> {
  const { folder, secret, ends } = site;
  const [adminPort = 0, proxyPort = 0, ...others] = await freePorts(2 + around.more.count);
  const rendered = await renderEnvoy({
    ...{ nodeId: name, proxyPort, adminPort },
    upstream: { host: HOST, port: around.service },
    controlPlane: { host: HOST, port: around.controlPlane },
    filterPath: versionedFilter(join(projectRoot, `build/${around.filter ?? "sluice"}.wasm`), folder),
    settings: edgeSettings({ tableCapacity: around.tableCapacity }),
  });
  const configFile = join(folder, `${name}.yaml`);
  const bootstrap = changed(rendered, (document) => {
    around.more.add(document, others);
    balanced(document, 1 + others.length);
  });
  writeFileSync(configFile, bootstrap);
  const plan = envoyPlan({
    ...{ binary: await findEnvoy(), configFile, secret, concurrency: WORKERS, logLevel: "warning" },
    logFile: join(folder, `${name}.log`),
  });
  const part = new Part({ ...plan, name }, (signal) =>
    waitForAnswer(`http://${HOST}:${proxyPort}/`, SERVES, { timeoutMs: READY_TIMEOUT_MS, signal }),
  );
  await ends.add(() => {
    // One that is stopped ends only when it goes on.
    part.resume();
    return part.stop();
  });
  await part.start();
  return { name, part, admin: new EnvoyAdmin(adminPort), ports: [proxyPort, ...others] };
}

/** Each worker has as many connections of a listener as the other one. */
function balanced(document: Document, listeners: number): void {
  for (let at = 0; at < listeners; at++) {
    const path = ["static_resources", "listeners", at, "connection_balance_config"];
    document.setIn(path, document.createNode({ exact_balance: {} }));
  }
}
