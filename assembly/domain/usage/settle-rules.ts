// How the routes of a policy settle what their requests cost, as the filter reads it: made when a policy comes into force.
import { Route } from "../policy/route-model";
import { SETTLE_JSON, SETTLE_METADATA, Settle } from "../policy/settle-model";
import { addressOf } from "../../memory/bytes";
import { compilePointer } from "./pointer";

/** Stands as `nameId` where the plan's own bucket is settled. */
export const OWN_BUCKET: u32 = 0xffffffff;

/** What one route says; its bytes stay for as long as its rules do. */
@unmanaged
export class SettleRule {
  /** Millionths of a token for one of what the response says. */
  timesMicro: u64;
  /** Of a header or a trailer its name, of metadata the property's path, of JSON the compiled pointer. */
  text: usize;
  textBytes: u32;
  /** Which further limit is settled, by its name in the policy; or OWN_BUCKET. */
  nameId: u32;
  /** SETTLE_…. */
  source: u8;
  /** ON_MISSING_…. */
  onMissing: u8;
}

const RULE_BYTES: i32 = (<i32>offsetof<SettleRule>() + 7) & ~7;

/** The rules of one policy. */
export class SettleRules {
  /** Streams that are still to be settled by one of them. While there are any, all of these rules are kept. */
  open: u32 = 0;
  /** The next in the list of the rules that are kept for their streams (settle-notes.ts). */
  next: SettleRules | null = null;
  isKept: bool = false;

  /** @param ofRoutes the address of each route's rule; 0: it settles nothing */
  constructor(
    private rules: StaticArray<u8>,
    private texts: ArrayBuffer[],
    private ofRoutes: StaticArray<u32>,
  ) {}

  /** The address of a route's rule, or 0. */
  @inline
  ofRoute(route: u32): usize {
    return unchecked(this.ofRoutes[route]);
  }
}

/** Null where no route settles anything. */
export function compileSettles(routes: Route[]): SettleRules | null {
  let count = 0;
  for (let i = 0; i < routes.length; i++) if (routes[i].settle !== null) count++;
  if (count == 0) return null;
  const rules = new StaticArray<u8>(count * RULE_BYTES);
  const texts: ArrayBuffer[] = [];
  const ofRoutes = new StaticArray<u32>(routes.length);
  let next = changetype<usize>(rules);
  for (let i = 0; i < routes.length; i++) {
    const settle = routes[i].settle;
    if (settle === null) continue;
    const text = textOf(settle);
    texts.push(text);
    const rule = changetype<SettleRule>(next);
    rule.timesMicro = settle.timesMicro;
    rule.text = addressOf(text);
    rule.textBytes = text.byteLength;
    rule.nameId = settle.limit.length == 0 ? OWN_BUCKET : settle.nameId;
    rule.source = settle.source;
    rule.onMissing = settle.onMissing;
    ofRoutes[i] = <u32>next;
    next += RULE_BYTES;
  }
  return new SettleRules(rules, texts, ofRoutes);
}

function textOf(settle: Settle): ArrayBuffer {
  if (settle.source == SETTLE_JSON) return compilePointer(settle.at);
  if (settle.source != SETTLE_METADATA) return String.UTF8.encode(settle.at);
  return String.UTF8.encode(`metadata\0filter_metadata\0${settle.at}\0${settle.key}`);
}
