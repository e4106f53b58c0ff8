// The rules of how a policy reaches every VM, each taken out by itself.
import { app, filter, without, type Mutation } from "./mutation.js";

const FOLLOWS = "if (!followsLog(table, log)) return false;";
const TAKES_OK = "if (resultOf(bell, buildId()) == RESULT_OK) take(table, offerOf(bell), nowUs);";
const WRITES_BYTES = "if (!writePolicyBytes(table, block, bodyBytes, log, generation, hash)) return OFFER_OUTDATED;";
const RINGS = "return ring(table, log, generation, hash, bodyBytes, spreadMs) ? OFFER_KEPT : OFFER_OUTDATED;";

export const RULES_OF_POLICIES: readonly Mutation[] = [
  {
    rule: "a reset makes its log known first",
    replacements: [
      { file: filter("edge/reset"), find: "if (!beginReset(table, from, log, cursor)) return;", by: "" },
      {
        file: filter("edge/reset"),
        find: "  endReset(table, watching.resetFrom",
        by:
          "  beginReset(table, watching.resetFrom, watching.resetLog, watching.resetCursor);\n" +
          "  endReset(table, watching.resetFrom",
      },
    ],
  },
  without(
    "a policy of another log makes that log known first",
    filter("policy/policy-offer"),
    "if (!followLog(table, log, watching.sentLog, watching.sentSeenLog)) return OFFER_OUTDATED;",
  ),
  without(
    "bytes and bell are written only while their log is seenLog",
    filter("policy/bell"),
    "return seen == log || seen == NO_LOG;",
    "return true;",
  ),
  {
    rule: "within a log only a higher generation: the bell",
    replacements: [
      {
        file: filter("policy/bell"),
        find: "if (bellLog(bell) == log && bellGeneration(bell) >= generation) return bellHash(bell) == hash;",
        by: "",
      },
    ],
  },
  without(
    "within a log only a higher generation: the bytes",
    filter("policy/policy-bytes"),
    "if (stored > generation) return false;",
  ),
  {
    rule: "the bytes are written before the bell",
    replacements: [
      {
        file: filter("policy/policy-offer"),
        find: WRITES_BYTES,
        by: "if (!ring(table, log, generation, hash, bodyBytes, spreadMs)) return OFFER_OUTDATED;",
      },
      {
        file: filter("policy/policy-offer"),
        find: RINGS,
        by: "return writePolicyBytes(table, block, bodyBytes, log, generation, hash) ? OFFER_KEPT : OFFER_OUTDATED;",
      },
    ],
  },
  {
    rule: "seenLog is read between the bell's read and its cas",
    replacements: [
      { file: filter("policy/bell"), find: `    ${FOLLOWS}\n`, by: "" },
      {
        file: filter("policy/bell"),
        find: "    let bell = readBell(table);",
        by: `    ${FOLLOWS}\n    let bell = readBell(table);`,
      },
    ],
  },
  {
    rule: "seenLog is read between the bytes' read and their cas",
    replacements: [
      { file: filter("policy/policy-bytes"), find: `    ${FOLLOWS}\n`, by: "" },
      {
        file: filter("policy/policy-bytes"),
        find: "    const stands = readInto(table, POLICY_KEY, scratch);",
        by: `    ${FOLLOWS}\n    const stands = readInto(table, POLICY_KEY, scratch);`,
      },
    ],
  },
  without(
    "one VM tries first, the others wait for its ok",
    filter("policy/take-policy"),
    "if (state == RESULT_OK) take(",
    "if (state == RESULT_OK || state == RESULT_TRYING) take(",
  ),
  without(
    "a VM tries only once its bell says so",
    filter("policy/take-policy"),
    "setResult(bell, build, RESULT_TRYING, nowUs);\n  if (!writeBell(table, bell)) return;",
    "setResult(bell, build, RESULT_TRYING, nowUs);\n  writeBell(table, bell);",
  ),
  without(
    "what another build has accepted is not taken",
    "assembly/domain/edge/bell.ts",
    "load<u32>(at, STATE_AT) != RESULT_NONE && load<u64>(at) == build",
    "load<u32>(at, STATE_AT) != RESULT_NONE",
  ),
  without(
    "the same bytes under another number keep their results",
    "assembly/domain/edge/bell.ts",
    "if (bellHash(bell) != hash) memory.fill(",
    "memory.fill(",
  ),
  without(
    "what a build has rejected is not read again",
    filter("policy/take-policy"),
    "else if (state == RESULT_NONE) tryFirst(",
    "else if (state == RESULT_NONE || state == RESULT_REJECTED) tryFirst(",
  ),
  without(
    "a try past its deadline has trapped",
    filter("policy/take-policy"),
    "else if (state == RESULT_TRYING) noteTrap(table, bell, nowUs);",
  ),
  without(
    "what has trapped is not tried again",
    filter("policy/take-policy"),
    "else if (state == RESULT_NONE) tryFirst(",
    "else if (state == RESULT_NONE || state == 4) tryFirst(",
  ),
  without(
    "configure takes only what is ok",
    filter("policy/take-policy"),
    TAKES_OK,
    "take(table, offerOf(bell), nowUs);",
  ),
  without(
    "a record is evicted only ANSWER_VALID_MS after it was touched",
    filter("table/slot"),
    "mayEvict ? UNTOUCHED_US :",
    "mayEvict ? 1 :",
  ),
  without(
    "after a swap a request that waited is decided anew",
    filter("request/let-go"),
    "answered != BY_ITSELF && epoch == root.epoch.number",
    "answered != BY_ITSELF",
  ),
  {
    rule: "a swap adds the counts of the policy before to Envoy's",
    replacements: [
      { file: filter("state/table"), find: "    this.previous.planCounts.flush();\n", by: "" },
      { file: filter("state/table"), find: "    this.epoch.planCounts.flush();\n", by: "" },
    ],
  },
  without(
    "a policy that is known is named with its log",
    filter("edge/watch"),
    'writeHexU64(writeAscii(at, \',"policy":{"log":"\'), bellLog(bell))',
    'writeHexU64(writeAscii(at, \',"policy":{"log":"\'), watching.sentLog)',
  ),
  without("a request that waits for a policy goes on when it is there", filter("tick"), "releaseHeld(nowUs);"),
  without(
    "a policy that is known in another log does not count",
    app("edges/policy-offers"),
    "received?.log === log && received.generation",
    "received !== undefined && received.generation",
  ),
  without(
    "saving a policy is conditional on the generation before",
    "test/sim/parts/sim-store.ts",
    "if (this.newestGeneration() !== expectedGeneration) return false;",
  ),
];
