// The one-shot service of docker-compose.yml: makes the secrets once, and what Envoy reads, into shared volumes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "./failure.js";
import { filterBuildFor, versionedFilter } from "./filter-file.js";
import { requirePolicy } from "./start/policy-file.js";
import { projectRoot } from "./project-root.js";
import { renderEnvoy } from "./render-envoy.js";
import { keptSecret } from "./start/secret-files.js";

/** Mounted in the services that need secrets. */
const SECRETS_DIR = "/run/sluice";
/** Mounted in Envoy. Holds no secret. */
const EDGE_DIR = "/etc/sluice";

try {
  const policy = await requirePolicy(join(projectRoot, "policy.yaml"));
  const filterPath = versionedFilter(join(projectRoot, "build", filterBuildFor(policy)), EDGE_DIR);
  // The services' names are their host names; their ports are the defaults, since each has a container of its own.
  const config = await renderEnvoy({
    bind: "0.0.0.0",
    upstream: { host: "demo", port: 8000 },
    controlPlane: { host: "control-plane", port: 8080 },
    filterPath,
  });
  writeFileSync(join(EDGE_DIR, "envoy.yaml"), config);

  const secret = await keptSecret(SECRETS_DIR, "secret", "base64");
  await keptSecret(SECRETS_DIR, "admin-token", "base64url");
  // Envoy's filter reads no file. The value is base64: it holds no quote.
  writeFileSync(join(SECRETS_DIR, "envoy.env"), `SLUICE_SECRET='${secret}'\n`, { mode: 0o600 });
} catch (error) {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
}
