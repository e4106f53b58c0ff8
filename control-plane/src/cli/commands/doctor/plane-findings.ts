// What is wrong with the control plane, as far as it says so itself: it is not ready, its clock, its policy, its issuers.
import { offsetWords } from "../../../domain/clock-offset.js";
import type { EdgesAnswer, PolicyStatusAnswer, StatusAnswer } from "../../client/answers.js";
import type { Failure } from "../../failure.js";
import type { Finding } from "./finding.js";

/** As of edges (docs/operations.md#an-envoys-clock). */
const CLOCK_OFF_MS = 60_000;

/** What the control plane answered; undefined: it does not know the question, being older. */
export interface PlaneSaid {
  readonly status: StatusAnswer | undefined;
  readonly policy: PolicyStatusAnswer | undefined;
  readonly edges: EdgesAnswer;
  /** This machine's clock less the control plane's. */
  readonly clockOffsetMs: number | undefined;
}

const ABOUT = "control plane";
const finding = (code: string, what: string, act: string): Finding => ({ code, about: ABOUT, what, act });

/** Of a call that failed: the control plane cannot be asked. */
export function cannotAsk({ code, message, hint }: Failure): Finding {
  const act = hint ?? "See the control plane's log";
  if (code === "USAGE") return { code: "COMMAND_SETTINGS", about: "this command", what: message, act };
  if (code === "FORBIDDEN") {
    return {
      code,
      about: "this command",
      what: "its token is an issuer's",
      act: "Use an operator's: only they may ask",
    };
  }
  if (code === "UNAUTHORIZED") return { code, about: "this command", what: "its token is not accepted", act };
  return finding(code, message, act);
}

export function planeFindings(said: PlaneSaid): Finding[] {
  return [...readiness(said), ...clocks(said), ...policy(said), ...issuers(said)];
}

function readiness({ status }: PlaneSaid): Finding[] {
  if (typeof status?.reason !== "string") return [];
  const isStore = status.reason.includes("store");
  const act = isStore
    ? "Make room on its disk, or mend it: docs/operations.md#when-the-store-cannot-be-written"
    : "Wait until it has started; its log says what it waits for";
  return [finding("NOT_READY", `it is not ready: ${status.reason}`, act)];
}

function clocks({ clockOffsetMs, edges: { clockOfMostMs = null } }: PlaneSaid): Finding[] {
  const found: Finding[] = [];
  if (clockOfMostMs !== null) {
    const what = `its clock is wrong: those of most edges agree and are ${offsetWords(clockOfMostMs)} it`;
    found.push(finding("CLOCK_OFF", what, "Synchronise the time of the control plane's machine"));
  } else if (clockOffsetMs !== undefined && Math.abs(clockOffsetMs) > CLOCK_OFF_MS) {
    const what = `this machine's clock is ${offsetWords(clockOffsetMs)} the control plane's`;
    found.push(finding("CLOCK_DIFFERS", what, "Synchronise the time of both machines"));
  }
  return found;
}

function policy({ policy: said }: PlaneSaid): Finding[] {
  if (said === undefined) return [];
  const { source, held } = said;
  if (source.state === "rejected") {
    const what = `the policy file ${source.name} is rejected; the policy before it stays in force`;
    return [finding("POLICY_REJECTED", what, `sluice policy check FILE names the violations, and so does the log`)];
  }
  if (held === null) return [];
  if (source.state === "behind") {
    const older = `the policy file ${source.name} has an older policy than the one in force, which another control plane published`;
    return [
      finding(
        "POLICY_BEHIND",
        older,
        `Save the newer one there; or, if it is meant, sluice policy confirm ${held.hash}`,
      ),
    ];
  }
  const what = `the policy file ${source.name} is held back: it would end ${held.sessions} live sessions`;
  return [finding("POLICY_HELD", what, `Mend the file; or, if it is meant, sluice policy confirm ${held.hash}`)];
}

function issuers({ status }: PlaneSaid): Finding[] {
  if (status?.issuersFileRejected !== true) return [];
  const what = "the issuers' file is rejected; the list before it stays in force";
  return [finding("ISSUERS_REJECTED", what, "Mend it: the log's issuers-rejected names line and column")];
}
