// A server instead of the control plane, which answers as a test has laid down.
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { onTestFinished } from "vitest";

/** Its address. It is closed with the test. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers the requests one after the other, the last answer again and again. Counts them. */
export async function answering(...answers: RequestListener[]): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    const next = answers[Math.min(requests, answers.length - 1)];
    requests += 1;
    next?.(request, response);
  });
  onTestFinished(() => {
    server.closeAllConnections();
  });
  return { url: await listening(server), requests: () => requests };
}

/** JSON, unless the body is a text. */
export const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
