// The one-shot service of docker-compose.yml: makes the secrets once, and what Envoy reads, into shared volumes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "./failure.js";
import { versionedFilter } from "./filter-file.js";
import { requirePolicy } from "./start/policy-file.js";
import { projectRoot } from "./project-root.js";
import { renderEnvoy } from "./render-envoy.js";
import { keptSecret } from "./start/secret-files.js";

/** Mounted in the services that need secrets. */
const SECRETS_DIR = "/run/sluice";
/** Mounted in Envoy. Holds no secret. */
const EDGE_DIR = "/etc/sluice";

try {
  const filterPath = versionedFilter(join(projectRoot, "build/sluice.wasm"), EDGE_DIR);
  await requirePolicy(join(projectRoot, "policy.yaml"));
  // The services' names are their host names; their ports are the defaults, since each has a container of its own.
  const config = await renderEnvoy({
    bind: "0.0.0.0",
    upstream: { host: "demo", port: 8000 },
    controlPlane: { host: "control-plane", port: 8080 },
    filterPath,
  });
  writeFileSync(join(EDGE_DIR, "envoy.yaml"), config);

  const secret = await keptSecret(SECRETS_DIR, "secret", "base64");
  const adminToken = await keptSecret(SECRETS_DIR, "admin-token", "base64url");
  writeEnvironment("control-plane.env", { SLUICE_SECRET: secret, SLUICE_ADMIN_TOKEN: adminToken });
  writeEnvironment("envoy.env", { SLUICE_SECRET: secret });
} catch (error) {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
}

/** Read by a shell and by Node. The values are base64: none holds a quote. */
function writeEnvironment(name: string, variables: Record<string, string>): void {
  const lines = Object.entries(variables).map(([variable, value]) => `${variable}='${value}'\n`);
  writeFileSync(join(SECRETS_DIR, name), lines.join(""), { mode: 0o600 });
}
