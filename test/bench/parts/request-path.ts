// The request path: what each variant adds to a request, for one hot session and for a thousand, over HTTP/2.
import { SESSION_ID_BYTES, TOKEN_SESSION_ID_AT, TOKEN_TAG_AT } from "../../../assembly/contract.js";
import { ADDED_COLUMNS, addedRow, ratioRows, ratiosByName, type AddedRatio } from "./added-cpu.js";
import { cpuTimeNs } from "../stand/cpu-time.js";
import { spreadOf, type Rounds } from "./differences.js";
import type { Installation } from "../stand/installation.js";
import { h2load, manySessions, requireAll } from "../stand/load.js";
import { withInstallation, type Part } from "../stand/part.js";
import { inTurns, type Turn } from "./rounds.js";
import { us, type Section } from "../stand/section.js";
import { NATIVE_CHECK, requestPathVariants } from "../stand/variants.js";

const THOUSAND = 1000;
/** Envoy's own limiter forgets what is beyond its room. */
const DESCRIPTORS = 100_000;
const SLUICES = ["sluice", "sluiceFull", "sluiceHeaders"];

const HOT_RATIOS: readonly AddedRatio[] = [
  ["floor", "sluice", "floor"],
  ["fullFloor", "sluiceFull", "floor"],
  ["headers", "sluiceHeaders", "floor", "headersProbe"],
  ["floorHeaders", "sluiceHeaders", "floorHeaders"],
  ["denied", "denied", "sluice"],
  ["deniedFull", "deniedFull", "sluiceFull"],
  ["deniedHeaders", "deniedHeaders", "sluiceHeaders"],
  ["invented", "invented", "floor"],
  ["nativeDynamic", "sluice", "nativeDynamic"],
];
const THOUSAND_RATIOS: readonly AddedRatio[] = [
  ["thousandFloor", "sluice", "floor"],
  ["thousandFloorHeaders", "sluiceHeaders", "floorHeaders"],
  ["thousandDenied", "denied", "sluice"],
  ["thousandDeniedHeaders", "deniedHeaders", "sluiceHeaders"],
  ["thousandNativeDynamic", "sluice", "nativeDynamic"],
];

interface Size {
  readonly requests: number;
  readonly rounds: number;
}

interface Run {
  readonly name: string;
  readonly variant: string;
  readonly what: string;
  readonly token: string | null;
  readonly status: "2xx" | "4xx";
}

export async function requestPath(part: Part): Promise<Section[]> {
  const variants = requestPathVariants(DESCRIPTORS, part.filterPath);
  return withInstallation(part, "request-path", { variants, sessions: THOUSAND }, async (installation) => {
    await checkNative(installation);
    await fillTable(installation);
    const spent = await spentSessions(installation);
    const runs = await hotRuns(installation, (name) => variants.find((one) => one.name === name)?.what ?? "");
    const size = part.quick ? { requests: 8_000, rounds: 6 } : { requests: 20_000, rounds: 24 };
    part.say(`one hot session: ${runs.length} runs, ${size.rounds} rounds of ${size.requests} requests`);
    const turns = runs.map((run) => hotTurn(run, installation, size.requests));
    const hot = hotSection(runs, await inTurns(turns, size.rounds, () => cpuTimeNs(installation.envoyPid)), size);

    const many = part.quick ? { requests: 4_000, rounds: 4 } : { requests: 20_000, rounds: 12 };
    part.say(`a thousand sessions: ${many.rounds} rounds of ${many.requests} requests`);
    return [hot, await thousandSection(installation, many, spent)];
  });
}

/** Envoy's own limiter limits, and by session: a comparison with one that does not would say nothing. */
async function checkNative(installation: Installation): Promise<void> {
  for (const token of installation.tokens.slice(0, 2)) {
    const answers = await h2load(installation.portOf(NATIVE_CHECK.name), 2 * NATIVE_CHECK.tokens, token);
    requireAll("local_ratelimit with few tokens", answers, "2xx", NATIVE_CHECK.tokens);
  }
}

/** So that every set is there, and the hot session is not alone in its own. */
async function fillTable(installation: Installation): Promise<void> {
  const { tokens } = installation;
  let next = 0;
  const answers = await manySessions(installation.portOf("sluice"), tokens.length, () => tokens[next++] ?? "");
  requireAll("the sessions' first requests", answers, "200", tokens.length);
}

async function hotRuns(installation: Installation, whatOf: (variant: string) => string): Promise<Run[]> {
  const token = await installation.issue("plenty");
  const spent = await installation.issue("one");
  for (const variant of SLUICES) await h2load(installation.portOf(variant), 1, token);
  // The first of these takes its one token: they have one table.
  for (const variant of SLUICES) await h2load(installation.portOf(variant), 2, spent);
  const allowed = [
    "bare",
    "noop",
    "floor",
    "headersProbe",
    "floorHeaders",
    ...SLUICES,
    "nativeStatic",
    "nativeDynamic",
  ];
  const denied = (name: string, variant: string, what: string, other: string | null): Run => {
    return { name, variant, what, token: other, status: "4xx" };
  };
  return [
    ...allowed.map((variant): Run => ({ name: variant, variant, what: whatOf(variant), token, status: "2xx" })),
    denied("denied", "sluice", "above the limit again and again, lean build", spent),
    denied("deniedFull", "sluiceFull", "above the limit again and again, full build", spent),
    denied("deniedHeaders", "sluiceHeaders", "above the limit again and again, with headers", spent),
    denied("invented", "sluice", "an invented token, lean build", inventedFrom(token)),
    denied("missing", "sluice", "no token, lean build", null),
    { name: "bareAgain", variant: "bare", what: "bare against bare: the noise", token, status: "2xx" },
  ];
}

/** Another session's token, with the right key id and a wrong tag. */
function inventedFrom(token: string): string {
  const bytes = Buffer.from(token, "base64url");
  for (const at of [TOKEN_SESSION_ID_AT + SESSION_ID_BYTES - 1, TOKEN_TAG_AT]) bytes[at] = 255 - (bytes[at] ?? 0);
  return bytes.toString("base64url");
}

/** One token through h2load; every answer must be of the class that is expected. */
function hotTurn({ name, variant, token, status }: Run, installation: Installation, requests: number): Turn {
  const port = installation.portOf(variant);
  const load = async (): Promise<number> => {
    const counts = await h2load(port, requests, token);
    requireAll(name, counts, status, requests);
    return requests;
  };
  return { name, load };
}

function hotSection(runs: readonly Run[], rounds: Rounds, size: Size): Section {
  return {
    title: "The request path, one hot session",
    method:
      `CPU that a request adds to the bare listener: ${size.rounds} rounds of ${size.requests} requests a variant, ` +
      `h2load over HTTP/2. What is denied does not reach the router, which the bare one does. ${bareTakes(rounds)}`,
    columns: ADDED_COLUMNS,
    rows: [
      ...runs
        .filter(({ name }) => name !== "bare")
        .map(({ name, what }) => addedRow(rounds, name, "bare", `${name}: ${what}`)),
      ...ratioRows(rounds, HOT_RATIOS),
    ],
    ratios: ratiosByName(rounds, HOT_RATIOS),
  };
}

function bareTakes(rounds: Rounds): string {
  return `The bare request takes ${us(spreadOf(rounds.bare ?? []).median)} µs.`;
}

async function thousandSection(installation: Installation, size: Size, spent: readonly string[]): Promise<Section> {
  const { tokens } = installation;
  const turnOf = (name: string, variant: string, of: readonly string[], status: string): Turn => {
    let next = 0;
    const load = async (): Promise<number> => {
      const inTurn = () => of[next++ % of.length] ?? "";
      requireAll(name, await manySessions(installation.portOf(variant), size.requests, inTurn), status, size.requests);
      return size.requests;
    };
    return { name, load };
  };
  const variants = ["bare", "floor", "floorHeaders", "sluice", "sluiceHeaders", "nativeDynamic"];
  const turns = [
    ...variants.map((variant) => turnOf(variant, variant, tokens, "200")),
    turnOf("denied", "sluice", spent, "429"),
    turnOf("deniedHeaders", "sluiceHeaders", spent, "429"),
    turnOf("bareAgain", "bare", tokens, "200"),
  ];
  const rounds = await inTurns(turns, size.rounds, () => cpuTimeNs(installation.envoyPid));
  return {
    title: "The request path, a thousand sessions in turn",
    method: `The same over Node's HTTP/2 client, ${size.rounds} rounds of ${size.requests} requests. ${bareTakes(rounds)}`,
    columns: ADDED_COLUMNS,
    rows: [
      ...turns.filter(({ name }) => name !== "bare").map(({ name }) => addedRow(rounds, name, "bare")),
      ...ratioRows(rounds, THOUSAND_RATIOS),
    ],
    ratios: ratiosByName(rounds, THOUSAND_RATIOS),
  };
}

/** A thousand sessions that have nothing left. */
async function spentSessions(installation: Installation): Promise<string[]> {
  const spent: string[] = [];
  for (let i = 0; i < THOUSAND; i++) spent.push(await installation.issue("one"));
  let next = 0;
  const answers = await manySessions(installation.portOf("sluice"), THOUSAND, () => spent[next++] ?? "");
  requireAll("sessions of one token", answers, "200", THOUSAND);
  return spent;
}
