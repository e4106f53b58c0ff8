// envoy.yaml for one Envoy that a script starts: rendered as "sluice render envoy" does it.
import { envoyBootstrap, type EnvoyOptions, UnfitTemplate } from "../control-plane/src/render/envoy-bootstrap.js";
import { readEnvoyTemplate } from "../control-plane/src/render/envoy-template.js";
import { whyUnreadable } from "../control-plane/src/files/file-reader.js";
import { Failure } from "./failure.js";
import { operatorFiles } from "./operator-files.js";

/**
 * YAML text of the template with the options filled in.
 * Rejects with a Failure when the template cannot be read, or lacks a field that an option sets.
 */
export async function renderEnvoy(options: EnvoyOptions, template?: string): Promise<string> {
  try {
    return envoyBootstrap(options, template ?? (await readTemplate()));
  } catch (error) {
    throw error instanceof UnfitTemplate ? new Failure(error.message) : error;
  }
}

function readTemplate(): Promise<string> {
  return readEnvoyTemplate(operatorFiles).catch((error: unknown) => {
    throw new Failure(`envoy.yaml cannot be read: ${whyUnreadable(error)}.`);
  });
}
