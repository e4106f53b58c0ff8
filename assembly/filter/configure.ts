// Taking edge settings into service. The result follows from their bytes and from what is constant for the process, so
// what passes once passes on every worker (docs/decisions/0010-configure-decides-from-the-bytes.md).
// asconfig.json names it as the compiler's abort; it must be part of the program.
import "../host/abort";
import { TICK_MS } from "../contract";
import { keyIdOf } from "../domain/token/keys";
import { violationText } from "../domain/policy/violations";
import { validateSettings } from "../domain/policy/settings";
import { EdgeSettings } from "../domain/policy/settings-model";
import { pluginConfiguration } from "../host/buffers";
import { monotonicUs } from "../host/clock";
import { logError } from "../host/log";
import { tickEvery } from "../host/metrics";
import { utf8 } from "../memory/bytes";
import { announceEpoch, announceTable } from "./policy/announce";
import { callCounterNames } from "./edge/call-outcomes";
import { dropCallsOf } from "./edge/calls";
import { dropLeasesOf } from "./edge/lease-calls";
import { BUILD_LEAN, BUILD_SETTLE, setBuildKind } from "./vm/build-kind";
import { flushCounters, nameCounters } from "./vm/counters";
import { flushLeaseCounters } from "./vm/lease-counters";
import { flushSettleCounters, nameSettleCounters } from "./vm/settle-counters";
import { NO_POLICY, epochOfSettings } from "./state/epoch";
import { noteNoStreams } from "./state/open-streams";
import { loadProcess, primaryKeys } from "./vm/process";
import { dropReportOf } from "./edge/report";
import { Root, addRoot, removeRoot, rootInSlot, slotOfRoot } from "./state/roots";
import { hashOfTable } from "./table/session-table";
import { shareTags } from "./table/shared-tags";
import { tableOf } from "./state/table";
import { lackingCallbacks } from "./policy/servable-policy";
import { takeWhatIsGood } from "./policy/take-policy";
import { dropWatchOf } from "./edge/watch";

/**
 * Validates the plugin configuration and, if it is edge settings, serves them on this root. False rejects it, with reasons
 * in the log.
 * @param build which build of the filter this is: BUILD_…
 */
export function configureRoot(rootId: u32, configurationBytes: u32, build: u32): bool {
  setBuildKind(build);
  const violation = loadProcess();
  if (violation.length > 0) {
    logError(`edge settings rejected: ${violation}`);
    return false;
  }
  const result = validateSettings(pluginConfiguration(configurationBytes));
  const settings = result.settings;
  if (settings == null) {
    const violations = result.violations;
    for (let i = 0; i < violations.length; i++) logError(`edge settings rejected: ${violationText(violations[i])}`);
    return false;
  }
  const lacking = lackingCallbacks(settings.policy, "policy.");
  if (lacking !== null) {
    logError(`edge settings rejected: ${violationText(lacking)}`);
    return false;
  }
  nameCounters(callCounterNames());
  if (build == BUILD_LEAN) noteNoStreams();
  if (build == BUILD_SETTLE) nameSettleCounters();
  const root = rootFor(rootId, settings);
  addRoot(root);
  tickEvery(TICK_MS);
  announceTable(root.table);
  announceEpoch(root.epoch);
  return true;
}

/** A root context is gone: its last counts are kept, its settings are not. */
export function dropRoot(rootId: u32): void {
  const slot = slotOfRoot(rootId);
  const root = rootInSlot(slot);
  if (root == null) return;
  flushCounters();
  flushSettleCounters();
  flushLeaseCounters();
  root.own.planCounts.flush();
  dropCallsOf(rootId);
  dropLeasesOf(rootId);
  dropReportOf(rootId);
  dropWatchOf(root);
  removeRoot(slot);
}

function rootFor(rootId: u32, settings: EdgeSettings): Root {
  const name = settings.tableName;
  const hash = hashOfTable(name, settings.cluster, keyIdOf(primaryKeys()));
  const nowUs = monotonicUs();
  const table = tableOf(hash, name, utf8(settings.cluster), settings.tableCapacity, nowUs);
  const policy = settings.policy;
  const own = policy == null ? NO_POLICY : epochOfSettings(policy);
  shareTags(table, own.limits);
  if (settings.follow) takeWhatIsGood(table, nowUs);
  return new Root(rootId, table, settings.follow, own);
}
