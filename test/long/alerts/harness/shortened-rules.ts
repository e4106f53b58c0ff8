// Rules for Prometheus as they are, but for their times: what takes minutes in operation shows within seconds in a test.
import { parse, stringify } from "yaml";

export interface ShortTimes {
  /** In place of each `for`. */
  readonly hold: string;
  /** In place of each range, as of `rate(x[5m])`, and of each offset. */
  readonly range: string;
}

interface Rule {
  readonly expr: string;
  readonly for?: string;
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

const DURATION = String.raw`(?:\d+(?:ms|[smhdwy]))+`;
const RANGE = new RegExp(String.raw`\[${DURATION}(?=:?\])`, "g");
const OFFSET = new RegExp(String.raw`\boffset ${DURATION}`, "g");

/** @param text of a file of rules; what it returns is one too, without its comments */
export function shortened(text: string, { hold, range }: ShortTimes): string {
  const rules = parse(text) as Rules;
  const groups = rules.groups.map((group) => ({
    ...group,
    rules: group.rules.map((rule) => ({
      ...rule,
      expr: rule.expr.replace(RANGE, `[${range}`).replace(OFFSET, `offset ${range}`),
      ...(rule.for === undefined ? {} : { for: hold }),
    })),
  }));
  return stringify({ ...rules, groups }, { lineWidth: 0 });
}
