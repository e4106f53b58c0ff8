// One npm start a data folder. The lock is a socket that this process listens on: the kernel closes it however the
// process ends, kill -9 included, so nothing is ever left to be removed by hand. Plain JavaScript, since it runs before
// anything is installed or built.
import { createHash } from "node:crypto";
import { realpathSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";

const DEFAULT_FOLDER = ".sluice";
const DEFAULT_PROXY = { SLUICE_PROXY_HOST: "127.0.0.1", SLUICE_PROXY_PORT: "10000" };
/** The holder answers at once, unless it hangs: then it is not waited for. */
const ANSWER_MS = 1000;
const KEY_CHARS = 24;

/** Held until the process ends. */
const held = new Map();

/**
 * Takes the data folder that the environment names, for the whole life of this process; once it is taken, asking again
 * does nothing. Touches no file of the folder. Rejects with one sentence where another npm start has it.
 * @param env the environment of npm start
 * @param root the folder that a relative path of the environment starts from
 */
export async function takeStartLock(env, root) {
  const named = env.SLUICE_DATA_DIR || DEFAULT_FOLDER;
  const folder = realPath(isAbsolute(named) ? named : join(root, named));
  if (held.has(folder)) return;
  const address = addressOf(folder);
  const server = (await listening(address, about(env))) ?? (await takenOver(address, about(env)));
  if (server === undefined) throw new Error(await rejection(folder, address));
  held.set(folder, server);
}

/** Resolves with undefined where another process has the address. */
function listening(address, said) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(said);
    });
    server.on("error", (error) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      // Alone it must not keep the process alive.
      server.unref();
      resolve(server);
    });
  });
}

/** Where the lock is a file, one that nobody listens on was left behind, and is taken over. */
async function takenOver(address, said) {
  if (isAbstract(address) || (await answerOf(address)) !== undefined) return undefined;
  rmSync(address, { force: true });
  return listening(address, said);
}

/** What the holder says of itself; empty where it hangs, undefined where there is none. */
function answerOf(address) {
  return new Promise((resolve) => {
    let said = "";
    let isThere = false;
    const socket = connect(address, () => (isThere = true));
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("data", (chunk) => (said += chunk.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(isThere ? said : undefined));
  });
}

async function rejection(folder, address) {
  const { pid, proxy } = parsed((await answerOf(address)) ?? "");
  const who = pid === undefined ? "" : ` (process ${pid}, proxy ${proxy})`;
  return (
    `npm start already runs over ${folder}${who}: stop that one first, ` +
    "or give this one a folder and ports of its own (SLUICE_DATA_DIR, SLUICE_PROXY_PORT and the others)."
  );
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function about(env) {
  const value = (name) => env[name] || DEFAULT_PROXY[name];
  return JSON.stringify({
    pid: process.pid,
    proxy: `${value("SLUICE_PROXY_HOST")}:${value("SLUICE_PROXY_PORT")}`,
  });
}

/**
 * Linux has names that are no files: the kernel alone knows them. Elsewhere it is a socket file, and of two that start in
 * the same moment over one that was left behind both may get it; their ports then tell the second one.
 */
function addressOf(folder) {
  const key = createHash("sha256").update(folder).digest("hex").slice(0, KEY_CHARS);
  return process.platform === "linux" ? `\0sluice-start-${key}` : join(tmpdir(), `sluice-start-${key}.sock`);
}

const isAbstract = (address) => address.startsWith("\0");

/** With what is a link followed, as far as it is there: the same folder has the same name, however it is spelled. */
function realPath(path) {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}
