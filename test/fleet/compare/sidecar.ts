// A program of its own: Envoy's ext_authz asks it for each request, and it asks a counter in the store.
import { createServer } from "node:http";
import { createClient } from "@redis/client";

import { TOKEN_BUCKET } from "./token-bucket.js";

const variable = (name: string): number => {
  const value = Number(process.env[name]);
  if (Number.isSafeInteger(value)) return value;
  throw new Error(`${name} is a whole number`);
};

const [port, redisPort, max, perSecond] = ["PORT", "REDIS_PORT", "MAX", "PER_SECOND"].map((one) =>
  variable(`COUNTER_${one}`),
);
const client = createClient({ socket: { host: "127.0.0.1", port: redisPort ?? 0 } });
client.on("error", (error: unknown) => {
  console.error(error);
});
await client.connect();
const script = await client.scriptLoad(TOKEN_BUCKET);
const bucket = [max, perSecond].map(String);
let calls = 0;

async function takes(session: string): Promise<boolean> {
  calls++;
  return (await client.evalSha(script, { keys: [`counter:${session}`], arguments: bucket })) === 1;
}

createServer((request, response) => {
  const { "x-session-id": session } = request.headers;
  if (typeof session !== "string") {
    response.writeHead(200).end(String(calls));
    return;
  }
  takes(session).then(
    (allowed) => response.writeHead(allowed ? 200 : 429).end(),
    () => response.writeHead(503).end(),
  );
}).listen(port, "127.0.0.1");
