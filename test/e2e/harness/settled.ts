// Waiting until edges and control plane agree on what each is to know.
import { expect } from "vitest";
import { until } from "../../../control-plane/test/support/until.js";
import type { Installation } from "./installation.js";

/** Resolves when the control plane knows that the session has consumed so many tokens, over all edges. */
export function reported({ api }: Installation, id: string, consumed: number): Promise<void> {
  return until(async () => {
    expect((await api.session(id)).tokens.consumed).toBe(consumed);
  });
}

/** Resolves when every edge runs the policy in force, and has a table marked for all that was invalidated. */
export function followed({ api, edges }: Installation): Promise<void> {
  return until(async () => {
    const views = await api.edges();
    for (const { name } of edges) {
      const view = views.find(({ edge }) => edge === name);
      expect(view?.instances.find(({ watching }) => watching)).toMatchObject({ state: "current", lag: 0 });
    }
  });
}
