// What the API answers, by the names that commands know it by. Times are ms since the epoch, tokens whole tokens.
import type { paths } from "./api-types.js";

type Json<Answer extends { readonly content: { readonly "application/json": unknown } }> =
  Answer["content"]["application/json"];

export type SessionAnswer = Json<paths["/v1/sessions/{id}"]["get"]["responses"][200]>;
export type Session = SessionAnswer["session"];
/** Its token is a secret. */
export type TokenAnswer = Json<paths["/v1/sessions"]["post"]["responses"][201]>;
type PresentListAnswer = Json<paths["/v1/sessions"]["get"]["responses"][200]>;
/** An older control plane does not say its reportInterval. */
export type ListAnswer = Omit<PresentListAnswer, "reportInterval"> & Partial<PresentListAnswer>;

/** Of edges: how many there are, how many have confirmed the revocation, and the names of the others. */
export type Confirmation = ConfirmationAnswer["revocation"];
export type ConfirmationAnswer = Json<paths["/v1/sessions/{id}"]["delete"]["responses"][200]>;
export type RevocationAnswer = Json<paths["/v1/revocations/{id}"]["get"]["responses"][200]>;
export type Revocation = RevocationAnswer["revocation"];

type PresentEdgesAnswer = Json<paths["/v1/edges"]["get"]["responses"][200]>;
type PresentEdge = PresentEdgesAnswer["edges"][number];
/** What an older control plane does not say. */
type Newer = "instancesLeftOut" | "double" | "clockOffsetMs" | "clockOff";
export type Edge = Omit<PresentEdge, Newer> & Partial<Pick<PresentEdge, Newer>>;
/** Calls of an edge that were denied because their secret differs. */
export type UnauthenticatedCaller = PresentEdgesAnswer["unauthenticated"][number];
/** An older control plane names no unauthenticated callers. */
export type EdgesAnswer = Readonly<{ edges: readonly Edge[] }> & Partial<Omit<PresentEdgesAnswer, "edges">>;

export type AuditAnswer = Json<paths["/v1/audit"]["get"]["responses"][200]>;
export type AuditEntry = AuditAnswer["entries"][number];

export type PolicyStatusAnswer = Json<paths["/v1/policy/status"]["get"]["responses"][200]>;
export type PolicyConfirmAnswer = Json<paths["/v1/policy/confirm"]["post"]["responses"][200]>;

export type StatusAnswer = Json<paths["/v1/status"]["get"]["responses"][200]>;

export type UsageAnswer = Json<paths["/v1/sessions/{id}/usage"]["get"]["responses"][200]>;
type PresentBucket = Json<paths["/v1/sessions/{id}/bucket"]["get"]["responses"][200]>["buckets"][number];
type NewerOfBucket = "name" | "limits";
/** An older control plane knows no further limits. */
export type Bucket = Omit<PresentBucket, NewerOfBucket> & Partial<Pick<PresentBucket, NewerOfBucket>>;
/** Under a plan of fleet scope. */
export type Fleet = NonNullable<SessionAnswer["fleet"]>;
export type BucketsAnswer = Readonly<{ buckets: readonly Bucket[]; fleet?: Fleet }>;
export type ConsumeAnswer = Json<paths["/v1/sessions/{id}/consume"]["post"]["responses"][200]>;
