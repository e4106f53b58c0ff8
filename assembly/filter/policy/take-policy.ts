// How a policy that the control plane sent comes into force in this VM (docs/edge-protocol.md, "The policy"). One VM of
// an Envoy tries it first; the others take what a VM of their own build has accepted.
import { TRY_DEADLINE_MS } from "../../contract";
import {
  RESULT_NONE,
  RESULT_OK,
  RESULT_REJECTED,
  RESULT_TRAPPED,
  RESULT_TRYING,
  bellGeneration,
  bellHash,
  bellLog,
  bellSize,
  bellSpreadMs,
  setResult,
  resultOf,
  resultSinceUs,
} from "../../domain/edge/bell";
import { Violation, violationText } from "../../domain/policy/violations";
import { Policy } from "../../domain/policy/model";
import { logError } from "../../host/log";
import { randomU64 } from "../../host/random";
import { announceEpoch } from "./announce";
import { giveResult, readBell, writeBell } from "./bell";
import { buildId } from "../vm/build-id";
import { epochOfControlPlane } from "../state/epoch";
import { shareTags } from "../table/shared-tags";
import { GoodPolicy, keepGoodPolicy, readGoodPolicy } from "./good-policy";
import { readPolicyText } from "./policy-bytes";
import { validateServablePolicy } from "./servable-policy";
import { Table } from "../state/table";
import { keepViolations } from "./violations";

const TRY_DEADLINE_US: u64 = <u64>TRY_DEADLINE_MS * 1000;
/** Even a single edge's workers do not all report in the tick of the swap. */
const MIN_SPREAD_MS: u32 = 100;

/** The policy that the bell names. */
class Offer {
  constructor(
    public log: u64,
    public generation: u64,
    public hash: u64,
    public size: u32,
    public spreadMs: u32,
  ) {}
}

/**
 * On each tick, and when a policy has just come: takes what the bell names, if it may.
 * @returns whether a policy was read, which leaves garbage
 */
export function lookAtBell(table: Table, nowUs: u64): bool {
  const bell = readBell(table);
  if (bell == 0) return false;
  if (isInForce(table, bell)) {
    followGeneration(table, bell, nowUs);
    return false;
  }
  if (bellHash(bell) == table.failedHash) return false;
  table.noteGeneration(bellGeneration(bell), nowUs);
  const state = resultOf(bell, buildId());
  if (state == RESULT_OK) take(table, offerOf(bell), nowUs);
  else if (state == RESULT_NONE) tryFirst(table, bell, nowUs);
  else if (state == RESULT_TRYING) noteTrap(table, bell, nowUs);
  return takeLastGood(table, nowUs) || state == RESULT_OK || state == RESULT_NONE;
}

/** At configure: only what a VM of this build has accepted. */
export function takeWhatIsGood(table: Table, nowUs: u64): void {
  const bell = readBell(table);
  if (bell == 0 || isInForce(table, bell)) return;
  if (resultOf(bell, buildId()) == RESULT_OK) take(table, offerOf(bell), nowUs);
  takeLastGood(table, nowUs);
}

/** A VM that has none of the control plane's policies yet, and may not take the newest, goes on with the one before. */
function takeLastGood(table: Table, nowUs: u64): bool {
  if (!table.epoch.isNone) return false;
  const bell = readBell(table);
  if (bell == 0 || bellHash(bell) == table.lookedForGoodAt) return false;
  table.lookedForGoodAt = bellHash(bell);
  const good = readGoodPolicy(table, buildId());
  if (good == null) return true;
  const policy = validateServablePolicy(good.text).policy;
  if (policy != null) putInForce(table, new Offer(good.log, good.generation, good.hash, 0, 0), policy, nowUs);
  return true;
}

function isInForce(table: Table, bell: usize): bool {
  return !table.epoch.isNone && table.epoch.hash == bellHash(bell);
}

/** The same bytes under another number: nothing is read. This VM runs them, so its build accepts them. */
function followGeneration(table: Table, bell: usize, nowUs: u64): void {
  const epoch = table.epoch;
  const result = resultOf(bell, buildId());
  // Also where a VM of this build is trying them, or did not finish: this VM runs them, which says more.
  if (result != RESULT_OK && result != RESULT_REJECTED) {
    setResult(bell, buildId(), RESULT_OK, nowUs);
    writeBell(table, bell);
  }
  if (epoch.generation == bellGeneration(bell) && epoch.log == bellLog(bell)) return;
  const formerLog = epoch.log;
  epoch.log = bellLog(bell);
  epoch.generation = bellGeneration(bell);
  settled(table, formerLog, bellSpreadMs(bell), nowUs);
}

/** Tells the other VMs that this one tries the policy, tries it, and writes its result. */
function tryFirst(table: Table, bell: usize, nowUs: u64): void {
  const build = buildId();
  const offer = offerOf(bell);
  setResult(bell, build, RESULT_TRYING, nowUs);
  if (!writeBell(table, bell)) return;
  const text = readPolicyText(table, offer.hash, offer.size);
  if (text == null) {
    // The bytes are another leader's: its bell follows, or this VM's next look finds the right ones.
    giveResult(table, offer.hash, build, RESULT_NONE, nowUs);
    return;
  }
  const result = validateServablePolicy(text);
  const policy = result.policy;
  if (policy == null) reject(table, offer, build, result.violations, nowUs);
  else if (giveResult(table, offer.hash, build, RESULT_OK, nowUs)) {
    putInForce(table, offer, policy, nowUs);
    keepGoodPolicy(table, new GoodPolicy(offer.log, offer.generation, offer.hash, text), build);
  }
}

function reject(table: Table, offer: Offer, build: u64, violations: Violation[], nowUs: u64): void {
  keepViolations(table, offer.hash, build, violations);
  giveResult(table, offer.hash, build, RESULT_REJECTED, nowUs);
  for (let i = 0; i < violations.length; i++) {
    logError(`policy generation ${offer.generation} rejected: ${violationText(violations[i])}`);
  }
}

/** The VM that tried is gone, or stands still. If it goes on, its own result counts. */
function noteTrap(table: Table, bell: usize, nowUs: u64): void {
  const build = buildId();
  if (nowUs < resultSinceUs(bell, build) + TRY_DEADLINE_US) return;
  const generation = bellGeneration(bell);
  setResult(bell, build, RESULT_TRAPPED, nowUs);
  if (!writeBell(table, bell)) return;
  logError(`policy generation ${generation} trapped the VM that tried it; it is not tried again by this build`);
}

/** Takes what another VM of this build has accepted. */
function take(table: Table, offer: Offer, nowUs: u64): void {
  const text = readPolicyText(table, offer.hash, offer.size);
  // The bytes are another leader's, whose bell follows.
  if (text == null) return;
  const policy = validateServablePolicy(text).policy;
  if (policy != null) {
    putInForce(table, offer, policy, nowUs);
    return;
  }
  table.failedHash = offer.hash;
  logError(`policy generation ${offer.generation} was found good by another VM, and is rejected by this one`);
}

function putInForce(table: Table, offer: Offer, policy: Policy, nowUs: u64): void {
  const formerLog = table.epoch.log;
  const epoch = epochOfControlPlane(policy, offer.log, offer.generation, offer.hash);
  shareTags(table, epoch.limits);
  table.swap(epoch);
  settled(table, formerLog, offer.spreadMs, nowUs);
}

/** Shows in log and gauge what is in force, and has the next report say so soon. */
function settled(table: Table, formerLog: u64, spreadMs: u32, nowUs: u64): void {
  table.caughtUp(formerLog);
  announceEpoch(table.epoch);
  const jitterUs = randomU64() % (<u64>max(spreadMs, MIN_SPREAD_MS) * 1000);
  table.nextReportAtUs = min(table.nextReportAtUs, nowUs + jitterUs);
}

function offerOf(bell: usize): Offer {
  return new Offer(bellLog(bell), bellGeneration(bell), bellHash(bell), bellSize(bell), bellSpreadMs(bell));
}
