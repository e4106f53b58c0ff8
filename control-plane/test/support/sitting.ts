// Callers that open connections and send nothing, each from an address of the loopback network.
import { connect } from "node:net";
import type { Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Sitting {
  readonly socket: Socket;
  readonly closed: () => boolean;
}

/** Resolves once the connection is there, or has ended. Closed with the test. */
export async function sitDown(port: number, localAddress: string): Promise<Sitting> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  onTestFinished(() => {
    socket.destroy();
  });
  // A reset is one way in which the server ends it.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", () => {
      resolve();
    });
  });
  socket.resume();
  return { socket, closed: () => socket.closed };
}

/** One after the other, so that they have an order. */
export async function sitDownEach(port: number, localAddresses: readonly string[]): Promise<Sitting[]> {
  const all: Sitting[] = [];
  for (const localAddress of localAddresses) all.push(await sitDown(port, localAddress));
  return all;
}
