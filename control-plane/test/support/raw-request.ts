// A request as bytes, for what no HTTP client sends.
import { connect } from "node:net";

import type { TestControlPlane } from "./control-plane.js";

/** Sends bytes, and reads the answer until the server closes. */
export async function rawRequest(
  { url }: Pick<TestControlPlane, "url">,
  bytes: string | Buffer,
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const { hostname, port } = new URL(url);
  const text = await new Promise<string>((resolve, reject) => {
    let received = "";
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => {
      resolve(received);
    });
  });
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const [line = "", ...lines] = head.split("\r\n");
  const headers = new Headers(lines.map((one) => one.split(": ", 2) as [string, string]));
  return {
    status: Number(line.split(" ")[1]),
    headers,
    body: body.startsWith("{") ? (JSON.parse(body) as unknown) : body,
  };
}
