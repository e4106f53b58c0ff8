// Reads the text of the command's configuration file, as strictly as every YAML here: what is wrong is named with its place.
import { FieldReader } from "../../domain/yaml/field-reader.js";
import { inOrder, readYamlSource } from "../../domain/yaml/yaml-source.js";
import type { LocatedViolation } from "../../domain/policy/policy.js";

/** Each with what stands there. None of them is a secret. */
export const CONFIGURATION_KEYS = ["url", "tokenFile", "tlsCaFile", "clientCertFile", "clientKeyFile"] as const;
export type ConfigurationKey = (typeof CONFIGURATION_KEYS)[number];
export type ConfigurationValues = Partial<Record<ConfigurationKey, string>>;

const EXPECTED: Readonly<Record<"url" | "file", string>> = {
  url: "a URL such as https://sluice.example:8080",
  file: "a file's path: nothing secret stands here itself",
};
const ONE_LINE = /^[^\p{Cc}\p{Cs}]{1,4096}$/u;

/** An empty document is a configuration without a value. */
export function readConfigurationFile(
  bytes: Uint8Array,
  maxBytes: number,
): { readonly values: ConfigurationValues } | { readonly violations: readonly LocatedViolation[] } {
  const read = readYamlSource(bytes, maxBytes);
  if ("violations" in read) return read;
  const { contents, positionOf } = read;
  if (contents === null) return { values: {} };
  const reader = new FieldReader(positionOf);
  const fields = reader.fields({ node: contents, path: "", offset: contents.range[0] }, CONFIGURATION_KEYS);
  const values: ConfigurationValues = {};
  for (const [key, place] of fields ?? []) {
    const text = reader.text(place, key === "url" ? EXPECTED.url : EXPECTED.file, ONE_LINE);
    if (text !== null) values[key] = text;
  }
  const violations = inOrder(reader.violations).map((one) => ({ ...one, path: one.path.replace(/^\./, "") }));
  return violations.length === 0 ? { values } : { violations };
}
