// The PEM files of a connection by TLS: read at each connect, so that renewed ones count from the next on.
import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";

import { messageOf } from "../../../domain/message-of.js";
import type { NamedFile, RedisTls } from "../../store-address.js";

/** @throws where a file cannot be read */
export async function tlsOptions({ ca, client }: RedisTls): Promise<ConnectionOptions> {
  return {
    ...(ca === null ? {} : { ca: await read(ca) }),
    ...(client === null ? {} : { cert: await read(client.cert), key: await read(client.key) }),
  };
}

async function read({ variable, path }: NamedFile): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${path} (${variable}) cannot be read: ${messageOf(error)}`);
  }
}
