// envoy.yaml for one Envoy that a script starts: rendered as "sluice render envoy" does it.
import { envoyBootstrap, type EnvoyOptions, UnfitTemplate } from "../control-plane/src/render/envoy-bootstrap.js";
import { readEnvoyTemplate } from "../control-plane/src/render/envoy-template.js";
import { Failure } from "./failure.js";

/**
 * YAML text of the template with the options filled in.
 * @throws Failure when the template lacks a field that an option sets
 */
export function renderEnvoy(options: EnvoyOptions, template: string = readEnvoyTemplate()): string {
  try {
    return envoyBootstrap(options, template);
  } catch (error) {
    throw error instanceof UnfitTemplate ? new Failure(error.message) : error;
  }
}
