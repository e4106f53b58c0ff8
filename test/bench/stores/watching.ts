// A watch of an edge, and calls of an operator, over connections that stay.
import { setTimeout as delay } from "node:timers/promises";

import { PATH_WATCH } from "../../../assembly/contract.js";
import { Failure } from "../../../scripts/failure.js";
import { call } from "../stand/http-call.js";
import type { Answer } from "../stand/http-call.js";
import type { Bench } from "./bench.js";
import { EDGE, instanceOf } from "./fill.js";
import type { Plane } from "./planes.js";

const ASK_AGAIN_MS = 50;

export function callPlane(
  method: string,
  { port }: Plane,
  path: string,
  authorization: string,
  body?: object,
): Promise<Answer> {
  const headers = { authorization, "x-sluice-edge": EDGE, ...(body && { "content-type": "application/json" }) };
  return call(method, `http://127.0.0.1:${port}${path}`, headers, body && JSON.stringify(body));
}

export interface Position {
  readonly log: string;
  readonly cursor: number;
}

export interface Watched extends Position {
  readonly reset?: boolean;
  readonly revoked?: readonly string[];
}

/** Undefined: of an edge that has no log yet, which is answered at once. While the store is away it asks again, as edges do. */
export async function watch({ edge }: Bench, plane: Plane, at: Position | undefined): Promise<Watched> {
  const since = at === undefined ? { since: 0 } : { log: at.log, since: at.cursor };
  const body = { edge: EDGE, instance: instanceOf(1), ...since, follow: false };
  for (;;) {
    const { status, text } = await callPlane("POST", plane, PATH_WATCH, edge, body);
    if (status === 200) return JSON.parse(text) as Watched;
    if (status !== 503) throw new Failure(`a watch was answered with ${status}: ${text}`);
    await delay(ASK_AGAIN_MS);
  }
}
