// docs/openapi.json, for those who read it without a control plane. `npm run types:api` writes it.
import { fileURLToPath } from "node:url";

import { format, resolveConfig } from "prettier";
import { expect, it } from "vitest";

import { startTestControlPlane } from "../support/control-plane.js";

const FILE = fileURLToPath(new URL("../../../docs/openapi.json", import.meta.url));

it("docs/openapi.json is the document that a control plane answers with", async () => {
  const plane = await startTestControlPlane();
  const { text } = await plane.call("GET", "/openapi.json");
  const json = await format(text, { ...(await resolveConfig(FILE)), filepath: FILE });
  await expect(json).toMatchFileSnapshot(FILE, "npm run types:api writes it anew");
});
