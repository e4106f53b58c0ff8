// A policy as an earlier version stored it: what is in the edge settings today was in it then.

interface Stored {
  table?: unknown;
  generation?: unknown;
  revision?: unknown;
  controlPlane?: { cluster?: unknown } | null;
}

/** The same policy without the fields that went to the edge settings. What is no JSON object is left as it is. */
export function withoutEdgeSettings(policyJson: string): string {
  const policy = parsed(policyJson);
  if (policy === undefined) return policyJson;
  delete policy.table;
  delete policy.generation;
  delete policy.revision;
  if (typeof policy.controlPlane === "object" && policy.controlPlane !== null) delete policy.controlPlane.cluster;
  return JSON.stringify(policy);
}

function parsed(text: string): Stored | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
