// The operators' route about the control plane itself: from afar they reach the API, and not the status listener.
import { Type } from "typebox";

import { EXAMPLE_STATUS } from "../examples.js";
import { COMMON, errorAnswers, textOrNull, timeMs } from "../schemas.js";
import type { HttpApp } from "../app.js";

/** What the control plane knows of its own state. */
export interface InstallationPort {
  /** Why it takes no requests; undefined: it does. */
  readonly notReady: () => Promise<string | undefined>;
  /** Whether the issuers' file, as it stands, is not what is in force. */
  readonly isIssuersFileRejected: () => boolean;
}

const Answer = Type.Object(
  {
    time: timeMs("the control plane's clock"),
    ready: Type.Boolean({ description: "as the status listener's /readyz" }),
    reason: textOrNull("why it is not ready; null: it is"),
    issuersFileRejected: Type.Boolean({
      description: "the issuers' file, as it stands, cannot be used; the list before it is in force",
    }),
  },
  { description: "the state of the control plane", examples: [EXAMPLE_STATUS] },
);

/** To be called in a scope that `guardAdmins` keeps. */
export function installationRoute(
  app: HttpApp,
  { notReady, isIssuersFileRejected }: InstallationPort,
  clock: { readonly nowMs: () => number },
): void {
  const schema = {
    operationId: "showStatus",
    tags: ["installation"],
    security: [{ adminToken: [] }],
    summary: "Whether the control plane is ready, and what it thinks the time is",
    response: { 200: Answer, ...errorAnswers(...COMMON) },
  };
  app.get("/v1/status", { schema }, async (_request, reply) => {
    const reason = (await notReady()) ?? null;
    const issuersFileRejected = isIssuersFileRejected();
    return reply.code(200).send({ time: clock.nowMs(), ready: reason === null, reason, issuersFileRejected });
  });
}
