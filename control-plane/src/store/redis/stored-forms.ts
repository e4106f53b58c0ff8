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
  const rare = rareOf(session);
  return JSON.stringify(Object.keys(rare).length === 0 ? common : [...common, rare]);
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
type FiguresForm = readonly [rev: number, consumed: number, levelMicro: number, atMs: number, reportedAtMs: number];
/** What few rows have. */
type RareOfRow = Pick<HeldRow, "remembered"> & Pick<Figures, "limits">;
type RowForm = readonly [acquiredAtMs: number, figures?: FiguresForm | null, rare?: RareOfRow];

/** Without its edge and its instance. */
export function rowText({ acquiredAtMs, figures, remembered }: HeldRow): string {
  const limits = figures?.limits;
  const rare = { ...(limits && { limits }), ...(remembered && { remembered }) };
  const common = [acquiredAtMs, figures && figuresForm(figures)] as const satisfies RowForm;
  return JSON.stringify(Object.keys(rare).length === 0 ? common : [...common, rare]);
}

const figuresForm = ({ rev, consumed, levelMicro, atMs, reportedAtMs }: Figures): FiguresForm => [
  ...([rev, consumed, levelMicro, atMs, reportedAtMs] as const),
];

/** @param field as `rowField` gives it */
export function rowIn(field: string, text: string): HeldRow {
  const edgeAt = ROW_PREFIX.length + INSTANCE_CHARS;
  const of = { edge: field.slice(edgeAt), instance: field.slice(ROW_PREFIX.length, edgeAt) };
  const [acquiredAtMs, form = null, rare = {}] = JSON.parse(text) as RowForm;
  const { limits, remembered } = rare;
  const figures = form && { ...figuresIn(form), ...(limits && { limits }) };
  return { ...of, acquiredAtMs, figures, ...(remembered && { remembered }) };
}

const figuresIn = ([rev, consumed, levelMicro, atMs, reportedAtMs]: FiguresForm): Figures => ({
  ...{ rev, consumed, levelMicro, atMs, reportedAtMs },
});
