// Whether everything that was acknowledged is true, by what a control plane answers in the end.
import type { Plane } from "../../../control-plane/test/support/planes-over-server.js";
import { until } from "../../../control-plane/test/support/until.js";
import type { Recorder } from "./recorder.js";
import { BUDGET } from "./traffic.js";

const AT_ONCE = 16;

interface Found {
  readonly state: string;
  readonly plan: string;
  readonly direct: number;
  readonly edges: ReadonlyMap<string, number>;
}

/** Everything that was acknowledged and is not so, a sentence each. */
export async function untruths(recorder: Recorder, plane: Plane): Promise<string[]> {
  const missing = await finished(recorder, plane);
  const ids = [...recorder.created];
  const found = new Map<string, Found | undefined>();
  for (let from = 0; from < ids.length; from += AT_ONCE)
    await Promise.all(ids.slice(from, from + AT_ONCE).map(async (id) => found.set(id, await look(plane, id))));
  const audited = await auditedTimes(plane);
  return [
    ...missing.map((id) => `202 for the revocation ${id}, which is not there`),
    ...ids.flatMap((id) => ofCreated(recorder, id, found.get(id))),
    ...recorder.revocations().flatMap(({ id }) => {
      const state = found.get(id)?.state ?? "missing";
      return state === "revoked" ? [] : [`200, 204 or 202 for ${id}, which is ${state}`];
    }),
    ...[...recorder.plans].flatMap(([id, plan]) => {
      const present = found.get(id)?.plan ?? "missing";
      return present === plan ? [] : [`200 for ${id} in ${plan}, whose plan is ${present}`];
    }),
    ...onceAudited(audited, "session-revoked", recorder.revoked.keys()),
    ...onceAudited(audited, "plan-changed", recorder.plans.keys()),
    ...ids.flatMap((id) => ofUsage(recorder, id, found.get(id))),
    ...ids.flatMap((id) => ofHolders(recorder, id, found.get(id))),
  ];
}

function ofCreated(recorder: Recorder, id: string, found: Found | undefined): string[] {
  if (found === undefined) return [`201 for ${id}, which is not there`];
  if (found.state !== "live" && !recorder.asked.has(id)) return [`${id} is ${found.state}, and nobody revoked it`];
  return [];
}

/** Whoever was answered that a session is live is known to hold it: it is not idle before that edge says so. */
function ofHolders(recorder: Recorder, id: string, found: Found | undefined): string[] {
  const isKnown = (edge: string): boolean => found?.edges.has(edge) === true;
  const unknown = [...(recorder.held.get(id) ?? [])].filter((edge) => !isKnown(edge));
  return unknown.map((edge) => `${edge} acquired ${id}, and is not among those that hold it`);
}

const onceAudited = (audited: ReadonlyMap<string, number>, action: string, ids: Iterable<string>): string[] =>
  [...ids].flatMap((id) => {
    const times = audited.get(`${action} ${id}`) ?? 0;
    return times === 1 ? [] : [`${action} of ${id} is ${times} times in the audit log`];
  });

function ofUsage(recorder: Recorder, id: string, found: Found | undefined): string[] {
  const said = [...(recorder.reported.get(id) ?? [])];
  const rows = said.flatMap(([edge, consumed]) => {
    const stored = found?.edges.get(edge) ?? 0;
    return stored >= consumed
      ? []
      : [`${edge} had a report of ${consumed} for ${id} acknowledged: ${stored} are stored`];
  });
  const figures = recorder.consumed.get(id);
  if (figures === undefined) return rows;
  const direct = found?.direct ?? 0;
  const isTrue = direct >= figures.acknowledged && direct <= Math.min(BUDGET, figures.asked);
  return isTrue ? rows : [...rows, `${figures.acknowledged} were consumed from ${id}: ${direct} are stored`];
}

async function look(plane: Plane, id: string): Promise<Found | undefined> {
  const shown = await plane.operator("GET", `/v1/sessions/${id}`);
  if (shown.status === 404) return undefined;
  const { state, plan } = (shown.body as { session: { state: string; plan: string } }).session;
  const usage = (await plane.operator("GET", `/v1/sessions/${id}/usage`)).body as {
    readonly direct: number;
    readonly edges: readonly { readonly edge: string; readonly consumed: number }[];
  };
  return {
    state,
    plan,
    direct: usage.direct,
    edges: new Map(usage.edges.map(({ edge, consumed }) => [edge, consumed])),
  };
}

/** How often the audit log has each action on each session. */
async function auditedTimes(plane: Plane): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (let cursor = ""; ;) {
    const { body } = await plane.operator("GET", `/v1/audit?limit=1000${cursor && `&cursor=${cursor}`}`);
    const page = body as { entries: { action: string; sessionId: string | null }[]; cursor: string | null };
    for (const { action, sessionId } of page.entries) {
      const name = `${action} ${sessionId ?? ""}`;
      times.set(name, (times.get(name) ?? 0) + 1);
    }
    if (page.cursor === null) return times;
    cursor = page.cursor;
  }
}

/** Resolves once each revocation of many is finished, also of a plane that was killed, with the ids of those that are gone. */
async function finished(recorder: Recorder, plane: Plane): Promise<string[]> {
  return until(async () => {
    const missing: string[] = [];
    for (const { id } of recorder.bulk) {
      const { status, body } = await plane.operator("GET", `/v1/revocations/${id}`);
      if (status === 404) {
        missing.push(id);
        continue;
      }
      const { state } = (body as { revocation: { state: string } }).revocation;
      if (state !== "finished") throw new Error(`the revocation ${id} is ${state}`);
    }
    return missing;
  });
}
