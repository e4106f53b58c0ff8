// The one-shot service of docker-compose.yml for a fleet's store: makes the password once. The control planes get it in the URL
// of the store, and Valkey its hash.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "./failure.js";
import { keptSecret } from "./start/secret-files.js";
import { storeServerConfiguration } from "./store-server.js";

/** Mounted in the control planes. */
const SECRETS_DIR = "/run/sluice";
/** Valkey's own volume, which is /data there. */
const VALKEY_DIR = "/var/lib/sluice";
const OWNER_ONLY_FILE = 0o600;

try {
  const password = await keptSecret(SECRETS_DIR, "store-password", "base64url");
  writeFileSync(join(SECRETS_DIR, "store"), `redis://sluice:${password}@valkey\n`, { mode: OWNER_ONLY_FILE });
  const configuration = storeServerConfiguration("/data", password);
  writeFileSync(join(VALKEY_DIR, "valkey.conf"), configuration, { mode: OWNER_ONLY_FILE });
} catch (error) {
  console.error(`sluice: ${describe(error)}`);
  process.exitCode = 1;
}
