// How the costs of a build differ from those committed: a sentence for each row.
import type { Cost } from "./measure.js";
import { callsText, keyOf } from "./table.js";

export function differencesFrom(committed: readonly Cost[], present: readonly Cost[]): string[] {
  const old = new Map(committed.map((cost) => [keyOf(cost), cost]));
  const kept = new Set(present.map(keyOf));
  return [
    ...present.flatMap((cost) => differenceOf(old.get(keyOf(cost)), cost)),
    ...[...old.keys()].filter((key) => !kept.has(key)).map((key) => `${key}: is in the table only`),
  ];
}

function differenceOf(old: Cost | undefined, present: Cost): string[] {
  const key = keyOf(present);
  if (old === undefined) return [`${key}: is not in the table`];
  const changes: string[] = [];
  if (callsText(old) !== callsText(present)) {
    const counts = growth("host calls", old.hostCalls.length, present.hostCalls.length);
    changes.push(`${counts}: ${callsText(old) || "none"} → ${callsText(present) || "none"}`);
  }
  if (old.instructions !== present.instructions)
    changes.push(growth("instructions", old.instructions, present.instructions));
  return changes.map((change) => `${key}: ${change}`);
}

/** "instructions 1200 → 1260 (+60, +5.0 %)" */
function growth(what: string, before: number, now: number): string {
  const sign = now < before ? "" : "+";
  const percent = before === 0 ? "" : `, ${sign}${(((now - before) / before) * 100).toFixed(1)} %`;
  return `${what} ${before} → ${now} (${sign}${now - before}${percent})`;
}
