// A watch of an edge that comes from an address of a test's choice: any of 127.0.0.0/8 is this machine.
import { request } from "node:http";

import { KEYS } from "./control-plane.js";

/** Sends it, and hangs up when the signal aborts. Resolves with the status of the answer; 0: there was none. */
export function watchFrom(url: string, address: string, said: object, signal: AbortSignal): Promise<number> {
  const headers = { authorization: `Bearer ${KEYS.edgeCredential}`, "content-type": "application/json" };
  return new Promise((resolve) => {
    const call = request(
      `${url}/edge/v1/watch`,
      { method: "POST", headers, localAddress: address, signal },
      (answer) => {
        answer.resume().on("error", () => {
          resolve(0);
        });
        answer.on("end", () => {
          resolve(answer.statusCode ?? 0);
        });
      },
    );
    call.on("error", () => {
      resolve(0);
    });
    call.end(JSON.stringify(said));
  });
}
