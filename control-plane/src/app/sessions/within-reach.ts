// Whether a caller may know of a session: an issuer of those that it issued, an operator of all.
import type { IssuedBy } from "../../domain/issued-by.js";
import type { SessionPorts } from "./sessions.js";

/**
 * For an issuer, a session of another and one that there is not are found missing by the same look at one index, so that
 * neither the answer nor its time tells them apart. An operator learns only from the session itself whether there is one.
 */
export async function isWithinReach(
  { operator, store }: Pick<SessionPorts, "operator" | "store">,
  id: string,
  issuedBy: IssuedBy | null,
): Promise<boolean> {
  if (issuedBy === null) return true;
  if (!(await operator.hasIssued(issuedBy.issuer, id))) return false;
  return issuedBy.orgId === null || (await store.find(id))?.orgId === issuedBy.orgId;
}
