// Reads a file that holds a secret; one that every user of the machine may read comes with a remark, as the control plane logs it.
import type { Io } from "../terminal/io.js";
import type { Output } from "../terminal/output.js";

export interface SecretReading {
  /** As `readFile`. */
  readonly readSecret: Io["readFile"];
}

export const secretReading = (io: Pick<Io, "readFile" | "isReadableByAll">, output: Output): SecretReading => ({
  readSecret: async (path, maxBytes) => {
    const bytes = await io.readFile(path, maxBytes);
    if (await io.isReadableByAll(path)) {
      output.remark(`Every user of this machine may read ${path}: take that away (chmod o-r)`);
    }
    return bytes;
  },
});
