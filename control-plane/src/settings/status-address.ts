// Where the status listener is: read by the control plane, and by whoever asks for its health.
import type { Address } from "./address.js";
import { EnvironmentReader } from "./environment.js";
import type { Environment } from "./environment.js";

/** Another reader may collect violations; this one takes the defaults in their place. */
export function readStatusAddress(
  env: Environment,
  reader: Pick<EnvironmentReader, "text" | "port"> = new EnvironmentReader(env, () => undefined),
): Address {
  return {
    host: reader.text("SLUICE_STATUS_HOST", "127.0.0.1"),
    port: reader.port("SLUICE_STATUS_PORT", 0, 8081),
  };
}
