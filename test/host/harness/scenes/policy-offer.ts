// A policy as the control plane answers a watch with it: its bytes as the body, its name in headers.
import { createHash } from "node:crypto";
import {
  HEADER_GENERATION,
  HEADER_LOG,
  HEADER_POLICY_HASH,
  HEADER_REPORT_SPREAD,
  POLICY_HASH_CHARS,
  TICK_MS,
} from "../../../../assembly/contract.js";
import type { Callout } from "../host/callouts.js";
import { isPolicyKey } from "./edge-keys.js";
import { LOG, REPORT_INTERVAL_MS, reportAnswer, type PolicyDocument } from "./documents.js";
import { Edge, type EdgeOptions } from "./edge.js";
import type { HostCall } from "../host/host-calls.js";
import type { Vm } from "../host/vm.js";

export interface Offered {
  readonly generation?: number;
  readonly log?: string;
  /** Another than the bytes have. */
  readonly hash?: string;
  readonly spreadMs?: number;
}

/** What a watch says of the policy that the edge knows. */
export interface WatchBody {
  readonly policy?: { log: string; generation: number; hash: string; state: string; violations?: object[] };
  readonly follow: boolean;
}

/** An edge whose settings have no policy. */
export function edgeWithoutPolicy(options: EdgeOptions = {}): Edge {
  return new Edge({ policy: null, ...options });
}

/** An edge on which this generation of the control plane's policy is in force. */
export function edgeFollowing(document: PolicyDocument, generation: number, options: EdgeOptions = {}): Edge {
  const edge = edgeWithoutPolicy(options);
  edge.flush();
  offer(edge.watch, document, { generation });
  edge.passMs(TICK_MS);
  return edge;
}

export function offer(watch: Callout, policy: PolicyDocument | string, offered: Offered = {}): void {
  const bytes = typeof policy === "string" ? policy : JSON.stringify(policy);
  watch.answer(200, bytes, headersOf(bytes, offered));
}

export function headersOf(bytes: string, offered: Offered = {}): Record<string, string> {
  return {
    "content-type": "application/json",
    [HEADER_LOG]: offered.log ?? LOG,
    [HEADER_GENERATION]: String(offered.generation ?? 1),
    [HEADER_POLICY_HASH]: offered.hash ?? policyHash(bytes),
    [HEADER_REPORT_SPREAD]: String(offered.spreadMs ?? 0),
  };
}

export function policyHash(bytes: string): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, POLICY_HASH_CHARS);
}

export function policyInWatch(watch: Callout): WatchBody["policy"] {
  return (watch.json as WatchBody).policy;
}

/** The watch that was sent last, if it is still out: an older one that it replaced counts no more. */
export function newestWatch(edge: Edge): Callout {
  const newest = edge.watches.at(-1);
  if (newest?.state !== "pending") throw new Error("no watch is out");
  return newest;
}

/** What each worker's next report says that it runs. */
export function runs(edge: Edge): unknown[] {
  for (const report of edge.pendingReports) report.answer(200, reportAnswer());
  edge.clock.advanceMs(REPORT_INTERVAL_MS);
  edge.flush();
  const said = edge.workers.map((worker) => edge.pendingReports.find((report) => report.vm === worker)?.json);
  for (const report of edge.pendingReports) report.answer(200, reportAnswer());
  return said.map((report) => (report as { policy?: unknown } | undefined)?.policy);
}

/** The generation that each worker's next report names. */
export function generations(edge: Edge): (number | undefined)[] {
  return runs(edge).map((said) => (said as { generation?: number } | undefined)?.generation);
}

/** Counts how often each worker reads the bytes of the policy. */
export function countPolicyReads(edge: Edge): Map<Vm, number> {
  const reads = new Map<Vm, number>();
  const isRead = (call: HostCall): boolean => call.name === "proxy_get_shared_data" && isPolicyKey(call.key);
  edge.host.hooks.each("after", isRead, ({ vm }) => reads.set(vm, (reads.get(vm) ?? 0) + 1));
  return reads;
}
