// Where the process listens: a listener that cannot be opened is said in one sentence, with the settings that move it.
import type { AddressInfo } from "node:net";

import { bindFailure } from "./bind-failure.js";
import type { HttpApp } from "./http/app.js";
import type { Address } from "./settings/address.js";

/** The settings that say where: `SLUICE_HTTP` has `SLUICE_HTTP_HOST` and `SLUICE_HTTP_PORT`. */
export type ListenerSettings = "SLUICE_HTTP" | "SLUICE_STATUS";

/**
 * Resolves to where it listens, one for each address of a name, with the port that it has where the system chose one.
 * Rejects with StartFailure.
 */
export async function listenAt(
  app: HttpApp,
  { host, port }: Address,
  settings: ListenerSettings,
): Promise<readonly AddressInfo[]> {
  await app.listen({ host, port }).catch((error: unknown) => {
    throw bindFailure({ host, port }, { host: `${settings}_HOST`, port: `${settings}_PORT` }, error);
  });
  return app.addresses().filter((one) => typeof one === "object");
}
