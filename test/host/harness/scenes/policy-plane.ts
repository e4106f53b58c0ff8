// The control plane as far as an edge's policy goes: it answers every watch that does not name the published policy.
import type { Callout } from "../host/callouts.js";
import type { PolicyDocument } from "./documents.js";
import type { Edge } from "./edge.js";
import { TICK_MS } from "../../../../assembly/contract.js";
import { LOG } from "./documents.js";
import { policyInWatch, offer } from "./policy-offer.js";

export interface Published {
  readonly log?: string;
  readonly generation: number;
  readonly policy: PolicyDocument;
}

/** Lets time pass, with ticks of every worker, while a control plane that has published a policy answers watches. */
export function passUnder(edge: Edge, published: Published, ms: number): void {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    edge.passMs(TICK_MS);
    for (const watch of edge.watches.filter(({ state }) => state === "pending")) answer(watch, published);
  }
}

function answer(watch: Callout, { log = LOG, generation, policy }: Published): void {
  const known = policyInWatch(watch);
  if (known?.log !== log || known.generation < generation) offer(watch, policy, { log, generation });
}
