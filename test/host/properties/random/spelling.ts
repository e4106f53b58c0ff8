// A policy written as YAML, each time in another way that says the same: defaults left out or not, durations in words, blocks
// or flows, quotes or none, members in any order.
import { Document, isCollection, isScalar, visit, type Scalar } from "yaml";
import type { Policy, Route, TokenSource } from "../../../../control-plane/src/domain/policy/policy.js";
import type { Random } from "../../harness/host/random.js";

type Tree = Readonly<Record<string, unknown>>;

const DURATIONS = new Set(["maxAge", "lifetime", "acquireTimeout", "reportInterval", "cleanupInterval"]);
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;
/** What a field says that is not there; of all others that are null. */
const DEFAULTS: Tree = {
  ...{ maxAge: 1_800_000, lifetime: 86_400_000, scope: "edge", onMaxSessions: "refuse", applies: "always" },
  ...{ cost: 1, exempt: false, times: 1, onMissing: "keep", onMiss: "acquire", onUnreachable: "trust" },
  ...{ onContention: "deny", onTableFull: "deny", acquireTimeout: 250, reportInterval: 5000, cleanupInterval: 60_000 },
  ...{
    openStreams: "close",
    headers: "draft",
    body: "json",
    upstreamHeaders: "replace",
    forward: true,
    identity: false,
  },
};

export function spelled(policy: Policy, random: Random): string {
  return new Speller(random).text(policy);
}

class Speller {
  readonly #numbers: string[] = [];

  constructor(private readonly random: Random) {}

  text(policy: Policy): string {
    const document = new Document(this.#tree(this.#withToken(policy)), { aliasDuplicateObjects: false });
    const isFlow = this.random.chance(0.2);
    visit(document, (_, node) => {
      if (isCollection(node)) node.flow = isFlow || this.random.chance(0.3);
      else if (isScalar(node)) this.#quote(node);
    });
    const written = document.toString({ lineWidth: 0, indent: this.random.pick([2, 4]) });
    const text = written.replaceAll(/__(\d+)__/g, (_, at: string) => this.#numbers[Number(at)] ?? "");
    return this.random.chance(0.3) ? `# A policy.\n${text}` : text;
  }

  #quote(node: Scalar): void {
    if (typeof node.value !== "string" || node.value.startsWith("__")) return;
    if (this.random.chance(0.4)) node.type = this.random.pick(["QUOTE_DOUBLE", "QUOTE_SINGLE"]);
  }

  /** The short form, where that can say it. */
  #withToken({ token, ...rest }: Policy): Tree {
    const [only, ...others] = token.from;
    const isShort = others.length === 0 && "header" in only && token.forward && !token.identity;
    if (!isShort || this.random.chance(0.4))
      return { ...rest, token: { ...token, from: token.from.map(this.#source) } };
    return only.header === "x-session-id" && this.random.chance(0.5)
      ? rest
      : { ...rest, header: this.#cased(only.header) };
  }

  readonly #source = (source: TokenSource): TokenSource =>
    "header" in source ? { header: this.#cased(source.header) } : source;

  #tree(value: unknown, name = ""): unknown {
    if (typeof value === "number") return this.#number(value, name);
    if (Array.isArray(value)) return value.map((item) => this.#tree(item, name));
    if (typeof value !== "object" || value === null) return this.#word(value, name);
    const said = name === "routes" ? routeOf(value as Route) : (value as Tree);
    const members = Object.entries(said).filter((member) => !this.#isLeftOut(member, name));
    members.sort(() => this.random.fraction() - 0.5);
    return Object.fromEntries(members.map(([key, member]) => [key, this.#tree(member, key)]));
  }

  #isLeftOut([key, value]: readonly [string, unknown], within: string): boolean {
    // A route's `null` for a limit says something.
    if (within === "limits" || this.random.chance(0.4)) return false;
    if (value === null) return true;
    if (within === "response" && key === "limits") return value === "tightest";
    if (within === "" && key === "enforcement") return value === "enforce";
    // Of a plan, that it says none is the default.
    return !(within === "plans" && key === "onUnreachable") && DEFAULTS[key] === value;
  }

  #word(value: unknown, name: string): unknown {
    if (typeof value !== "string") return value;
    if (name === "refill" && value.includes("/1") && /\/1[smhd]$/.test(value) && this.random.chance(0.5)) {
      return value.replace("/1", "/");
    }
    return name === "header" || name === "trailer" ? this.#cased(value) : value;
  }

  /** As JSON has numbers: 10 is 1e1, and 10.0. */
  #number(value: number, name: string): string {
    if (DURATIONS.has(name) && this.random.chance(0.6)) return inWords(value);
    const forms = [String(value), String(value), String(value)];
    if (Number.isInteger(value)) forms.push(`${value}.0`, `${value}e0`);
    if (Number.isInteger(value) && value > 0 && value % 10 === 0) forms.push(`${value / 10}e1`, `${value / 10}E+1`);
    return `__${this.#numbers.push(this.random.pick(forms)) - 1}__`;
  }

  #cased(header: string): string {
    return this.random.chance(0.5) ? header.toUpperCase() : header;
  }
}

/** Nothing may stand beside `exempt`. */
function routeOf(route: Route): Tree {
  const { match, exempt } = route;
  return exempt ? { match, exempt } : { ...route };
}

function inWords(ms: number): string {
  let left = ms;
  return UNITS.map(([unit, each]) => {
    const count = Math.floor(left / each);
    left -= count * each;
    return count === 0 ? "" : `${count}${unit}`;
  }).join("");
}
