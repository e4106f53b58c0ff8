// What a session's hash holds, as short as can be told again: there are millions of them, in the server's memory. Lists of
// values in a fixed order, and without what the key or the field says already.
import { INSTANCE_CHARS } from "../../../../assembly/contract.js";
import type { Session } from "../../domain/session.js";
import { instanceKey } from "../../domain/stored.js";
import type { HeldRow, Instance } from "../../domain/stored.js";

/** Fields that begin so are rows of instances. */
export const ROW_PREFIX = "u:";

/** Of an instance's row in a session's hash. */
export const rowField = (of: Instance): string => `${ROW_PREFIX}${instanceKey(of)}`;

type Plan = Session["plan"];
type Metadata = Session["metadata"];
/** What few sessions have. */
type Rare = Partial<Omit<Session, (typeof COMMON)[number]>>;

type CommonForm = readonly [
  ...[userId: string, orgId: string, createdAt: number, lastActivity: number, issued: number, consumed: number],
  ...[planId: Plan["id"], planName: Plan["name"], maxTokens: number, lifetimeMs: number],
  ...[ip: Metadata["ip"], userAgent: Metadata["userAgent"], route: Metadata["route"]],
];
type SessionForm = readonly [...CommonForm, rare?: Rare];

/** Without its id. */
export function sessionText(session: Session): string {
  const { userId, orgId, createdAt, lastActivity, tokens, plan, metadata } = session;
  const common: CommonForm = [
    ...([userId, orgId, createdAt, lastActivity, tokens.issued, tokens.consumed] as const),
    ...([plan.id, plan.name, plan.maxTokens, plan.lifetimeMs] as const),
    ...([metadata.ip, metadata.userAgent, metadata.route] as const),
  ];
  return JSON.stringify(withRare<SessionForm>(common, rareOf(session)));
}

/** At the end of the list, where there is any. */
export function withRare<Form extends readonly unknown[]>(list: Form, rare: object): Form {
  const isAny = Object.values(rare).some((value) => value !== undefined);
  return isAny ? ([...list, rare] as unknown as Form) : list;
}

const COMMON = ["id", "userId", "orgId", "plan", "createdAt", "lastActivity", "tokens", "metadata"] as const;
const IN_LIST: ReadonlySet<string> = new Set(COMMON);

/** All that has no place in the list, also what another version may know. */
function rareOf(session: Session): Rare {
  const entries = Object.entries(session) as [string, unknown][];
  const isRare = ([name, value]: [string, unknown]): boolean =>
    !IN_LIST.has(name) && value !== undefined && !(name === "revokedAt" && value === null);
  return Object.fromEntries(entries.filter(isRare));
}

export function sessionIn(id: string, text: string): Session {
  const [userId, orgId, createdAt, lastActivity, issued, consumed, ...rest] = JSON.parse(text) as SessionForm;
  const [planId, name, maxTokens, lifetimeMs, ip, userAgent, route, rare] = rest;
  return {
    ...{ id, userId, orgId, createdAt, lastActivity },
    plan: { id: planId, name, maxTokens, lifetimeMs },
    tokens: { issued, consumed },
    metadata: { userAgent, ip, route },
    revokedAt: null,
    ...rare,
  };
}

type Figures = NonNullable<HeldRow["figures"]>;
/** What few figures have, and what another version may know. */
type RareFigures = Pick<Figures, "limits" | "isLease">;
type FiguresForm = readonly [
  ...[rev: number, consumed: number, levelMicro: number, atMs: number, reportedAtMs: number],
  rare?: RareFigures,
];
/** What few rows have, and what another version may know. */
type RareOfRow = Pick<HeldRow, "remembered">;
type RowForm = readonly [acquiredAtMs: number, figures?: FiguresForm | null, rare?: RareOfRow];

/** Without its edge and its instance. */
export function rowText({ edge: _edge, instance: _instance, acquiredAtMs, figures, ...rare }: HeldRow): string {
  return JSON.stringify(withRare<RowForm>([acquiredAtMs, figures && figuresForm(figures)], rare));
}

const figuresForm = ({ rev, consumed, levelMicro, atMs, reportedAtMs, ...rare }: Figures): FiguresForm =>
  withRare<FiguresForm>([rev, consumed, levelMicro, atMs, reportedAtMs], rare);

/** @param field as `rowField` gives it */
export function rowIn(field: string, text: string): HeldRow {
  const edgeAt = ROW_PREFIX.length + INSTANCE_CHARS;
  const of = { edge: field.slice(edgeAt), instance: field.slice(ROW_PREFIX.length, edgeAt) };
  const [acquiredAtMs, form = null, rare] = JSON.parse(text) as RowForm;
  return { ...of, acquiredAtMs, figures: form && figuresIn(form), ...rare };
}

const figuresIn = ([rev, consumed, levelMicro, atMs, reportedAtMs, rare]: FiguresForm): Figures => ({
  ...{ rev, consumed, levelMicro, atMs, reportedAtMs, ...rare },
});
