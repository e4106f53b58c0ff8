// Taking a policy into service. The verdict follows from the policy's bytes and from what is constant for the process,
// so what passes once passes on every worker (docs/decisions/0010-configure-decides-from-the-bytes.md).
// asconfig.json names it as the compiler's abort; it must be part of the program.
import "../host/abort";
import { judgePolicy } from "../domain/policy/judge";
import { POLICY_HASH_CHARS, TICK_MS } from "../contract";
import { Policy, RESPONSE_HEADERS_NONE } from "../domain/policy/model";
import { sha256 } from "../domain/sha256";
import { pluginConfiguration } from "../host/buffers";
import { logError, logInfo, logWarn } from "../host/log";
import { gauge, setGauge, tickEvery } from "../host/metrics";
import { utf8, writeHex } from "../memory/bytes";
import { dropCallsOf } from "./calls";
import { Counters } from "./counters";
import { DenialTexts } from "./denial-texts";
import { PlanTexts } from "./plan-texts";
import { loadProcess } from "./process";
import { Root, addRoot, removeRoot, rootInSlot, slotOfRoot } from "./roots";
import { dropReportOf } from "./report";
import { hashOfTableName, runningCapacity } from "./session-table";
import { unreportedOf } from "./unreported";

const digest: usize = memory.data(32, 8);

/**
 * Judges the configuration and, if it is a policy, serves it on this root. False refuses it, with reasons in the log.
 * @param addsHeaders whether this build of the filter has a callback for responses
 */
export function configureRoot(rootId: u32, configurationBytes: u32, addsHeaders: bool): bool {
  const fault = loadProcess();
  if (fault.length > 0) {
    logError(`configuration refused: ${fault}`);
    return false;
  }
  const text = pluginConfiguration(configurationBytes);
  const verdict = judgePolicy(text, true);
  const policy = verdict.policy;
  if (policy == null) {
    const faults = verdict.faults;
    for (let i = 0; i < faults.length; i++) logError(`policy refused: ${faults[i].path}: ${faults[i].message}`);
    return false;
  }
  if (!addsHeaders && policy.responseHeaders != RESPONSE_HEADERS_NONE) {
    logError("policy refused: response.headers: expected none, since this is sluice-lean.wasm; sluice.wasm adds them");
    return false;
  }
  addRoot(rootFor(rootId, policy, hashOf(text)));
  tickEvery(TICK_MS);
  announce(policy);
  return true;
}

/** A root context is gone: its last counts are kept, its policy is not. */
export function dropRoot(rootId: u32): void {
  const slot = slotOfRoot(rootId);
  const root = rootInSlot(slot);
  if (root == null) return;
  root.counters.flush();
  dropCallsOf(rootId);
  dropReportOf(rootId);
  removeRoot(slot);
}

function rootFor(rootId: u32, policy: Policy, policyHash: ArrayBuffer): Root {
  const plans = new StaticArray<PlanTexts>(policy.plans.length);
  let longest: u64 = 0;
  for (let i = 0; i < policy.plans.length; i++) {
    plans[i] = new PlanTexts(policy.plans[i]);
    longest = max(longest, policy.plans[i].lifetimeMs);
  }
  const tableHash = hashOfTableName(policy.tableName);
  const root = new Root(
    rootId,
    policy,
    utf8(policy.header),
    utf8(policy.cluster),
    plans,
    new DenialTexts(policy),
    new Counters(policy),
    unreportedOf(tableHash, policy.tableCapacity),
    policyHash,
  );
  root.longestLifetimeMs = longest;
  root.tableHash = tableHash;
  return root;
}

/** The first bytes of SHA-256 over the configuration, in hex. */
function hashOf(text: string): ArrayBuffer {
  const bytes = utf8(text);
  sha256(changetype<usize>(bytes), bytes.byteLength, digest);
  const hash = new ArrayBuffer(<i32>POLICY_HASH_CHARS);
  writeHex(changetype<usize>(hash), digest, POLICY_HASH_CHARS / 2);
  return hash;
}

/** Says in log and gauges what is in force. A capacity other than the running one waits for Envoy's next start. */
function announce(policy: Policy): void {
  const running = runningCapacity(hashOfTableName(policy.tableName));
  const capacity = running == 0 ? policy.tableCapacity : running;
  setGauge(gauge("sluice_policy_generation"), policy.generation);
  setGauge(gauge("sluice_table_capacity"), capacity);
  logInfo(`serving policy generation ${policy.generation}, ${policy.plans.length} plans, ${capacity} records`);
  if (capacity != policy.tableCapacity) {
    logWarn(`table.capacity: ${policy.tableCapacity} takes effect when Envoy restarts, until then ${capacity}`);
  }
}
