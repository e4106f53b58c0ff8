// A light probe in a process of its own: one request every two milliseconds on one connection, until it is asked to stop.
// Started with port, token by who measures; sends the milliseconds of every answer to its parent.
import { Agent, get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const EVERY_MS = 2;
const [port = "", token = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const stopping = new AbortController();

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: Number(port), agent, headers: { "x-session-id": token } };
    get(options, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`the probe was answered with ${answer.statusCode ?? 0}`));
      answer.resume();
      answer.on("end", resolve);
    }).on("error", reject);
  });
}

process.on("message", () => {
  stopping.abort();
});
const times: number[] = [];
while (!stopping.signal.aborted) {
  const startedMs = performance.now();
  await ask();
  times.push(performance.now() - startedMs);
  await sleep(EVERY_MS);
}
process.send?.(times, () => {
  process.disconnect();
  agent.destroy();
});
