// The layout in Redis or Valkey: which keys there are, and what they hold. One hash tag, so that all are in one slot: a
// script may write any of them together, in a cluster too.
//
//   key                        type    field or member          value
//   {sluice}:meta              hash    schema                   which layout this is
//                                      store                    names this store among all there ever were; it stays
//                                      log                      names the invalidation log, anew in each life of a primary
//                                      life                     which life of which primary has named the log (server-life.ts)
//                                      cursor                   number of the last invalidation, 0 before the first
//                                      audited                  number of the last entry of the audit log
//                                      generation               the newest of the policy
//                                      commits                  how many there were
//                                      statuses                 how many writes of edges' status there were
//                                      fleetTime                ms of the clock by which leases go; it is only ever raised
//                                      began                    when that log began by that clock, and the newest session there
//                                                               was then (domain/leases/store-life.ts)
//                                      detailsForgotten         ID up to which no session's client is known any more
//   {sluice}:s:ID              hash    v                        version: counts the writes to this hash
//                                      session                  Session, as stored-forms.ts has it
//                                      b                        FleetBudget, as stored-budget.ts has it: under a plan of
//                                                               fleet scope, or that was
//                                      u:INSTANCE EDGE          what an instance reported: HeldRow, as there
//   {sluice}:c:ID              hash    owned key                ConsumptionKey, as JSON
//   {sluice}:consumed          zset    ID owned key             the same by time
//   {sluice}:sessions          zset    ID                       every session; of the same score, so in the order of ids,
//                                                               which is that of creation
//   {sluice}:user:USER         zset    ID                       a user's; the same of an organisation, an issuer, an issuer's user
//   {sluice}:plan:PLAN         zset    ID                       those that have not ended for good
//   {sluice}:peers:PLAN:USER   zset    ID                       the same of a user, for each issuer alone
//   {sluice}:active:PLAN       zset    ID                       the same by a time not later than their last activity
//   {sluice}:plans             set     PLAN                     plans that sessions had
//   {sluice}:ended             zset    ID                       those that have ended for good
//   {sluice}:created           hash    owned key                CreationKey, as JSON
//   {sluice}:createdAt         zset    owned key                the same by time
//   {sluice}:log               stream  CURSOR-0                 Invalidation
//   {sluice}:audit             stream  NUMBER-0                 AuditEvent, as JSON
//   {sluice}:revocations       hash    operation id             StoredRevocation, as JSON without its position
//   {sluice}:unfinished        set     operation id             those that go on
//   {sluice}:revoked           hash    operation id             log and cursor of its last chunk
//   {sluice}:policies          hash    generation               PolicyDecision, as JSON
//   {sluice}:decided           hash    generation               log and cursor when it was decided
//   {sluice}:edges:PROCESS     hash    instance                 EdgeStatus, as JSON: as this process knows it
//   {sluice}:cursors:PROCESS   hash    instance                 log and cursor up to which its table is marked
//   {sluice}:edgesAt           zset    kind, process, instance  the same by the count of the write
//   {sluice}:edgesGone         list    kind, process, instance  those that were removed last
//   {sluice}:beats             hash    PROCESS                  when it was there last, and whether it has ended
//   {sluice}:copy              string                           how far a copy into here has come; it is no store for as long
//   {sluice}:copiedTime        string                           the fleet clock that such a copy brings, until it is finished
//   {sluice}:claim:NAME        string                           the process that has the claim, until it expires
//
// {sluice}:wake is a channel: the log has grown.
import type { RevocationFilter } from "../../domain/stored.js";

const TAG = "{sluice}";

/** All of it begins so. */
export const PREFIX = `${TAG}:`;
export const WAKE_CHANNEL = `${PREFIX}wake`;

export const KEYS = {
  meta: `${PREFIX}meta`,
  consumed: `${PREFIX}consumed`,
  sessions: `${PREFIX}sessions`,
  plans: `${PREFIX}plans`,
  ended: `${PREFIX}ended`,
  created: `${PREFIX}created`,
  createdAt: `${PREFIX}createdAt`,
  log: `${PREFIX}log`,
  audit: `${PREFIX}audit`,
  revocations: `${PREFIX}revocations`,
  unfinished: `${PREFIX}unfinished`,
  revoked: `${PREFIX}revoked`,
  policies: `${PREFIX}policies`,
  decided: `${PREFIX}decided`,
  edgesAt: `${PREFIX}edgesAt`,
  edgesGone: `${PREFIX}edgesGone`,
  beats: `${PREFIX}beats`,
  copy: `${PREFIX}copy`,
  copiedTime: `${PREFIX}copiedTime`,
} as const;

export const keyOf = {
  session: (id: string): string => `${PREFIX}s:${id}`,
  consumptions: (id: string): string => `${PREFIX}c:${id}`,
  user: (userId: string): string => `${PREFIX}user:${userId}`,
  org: (orgId: string): string => `${PREFIX}org:${orgId}`,
  meantBy: (filter: RevocationFilter): string =>
    "userId" in filter ? keyOf.user(filter.userId) : keyOf.org(filter.orgId),
  issuer: (issuer: string): string => `${PREFIX}issuer:${issuer}`,
  /** Neither holds a line end. */
  issuerAndUser: (issuer: string, userId: string): string => `${PREFIX}issued:${issuer}\n${userId}`,
  plan: (planId: number): string => `${PREFIX}plan:${planId}`,
  /** @param user whose sessions a user's limit counts */
  peers: (planId: number, user: string): string => `${PREFIX}peers:${planId}:${user}`,
  active: (planId: number): string => `${PREFIX}active:${planId}`,
  edges: (process: string): string => `${PREFIX}edges:${process}`,
  cursors: (process: string): string => `${PREFIX}cursors:${process}`,
  claim: (name: string): string => `${PREFIX}claim:${name}`,
};
