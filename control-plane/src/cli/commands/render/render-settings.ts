// The commands that print the edge settings, alone and in the file that a plain Envoy follows for the filter.
import { ecdsFile } from "../../../render/ecds-file.js";
import { edgeSettings } from "../../../render/edge-settings.js";
import type { LocalCommand } from "../../command.js";
import { usageFailure } from "../../failure.js";
import { FILTER_NOTE, NOTHING_ASKED, readChoices, SETTINGS_OPTIONS } from "./render-options.js";
import { print } from "./render-print.js";

export const renderSettings: LocalCommand = {
  name: "render settings",
  summary: "print the edge settings, the filter's plugin configuration in Envoy",
  args: [],
  options: {
    ...SETTINGS_OPTIONS,
    format: {
      kind: "text",
      value: "FORMAT",
      values: ["yaml", "json"],
      what: "yaml (the default), or json as Envoy's StringValue holds it",
    },
  },
  notes: [NOTHING_ASKED],
  example: "render settings --with-policy policy.yaml --format json",
  next: "put it into the filter's configuration, in Envoy a StringValue, in a mesh the pluginConfig",
  runLocally: async (invocation) => {
    const { text, output, io } = invocation;
    const format = text("format") ?? (output.json ? "json" : "yaml");
    if (output.json && format === "yaml") return usageFailure("--json and --format yaml do not go together");
    const choices = await readChoices(invocation);
    if (!choices.ok) return choices.failure;
    const settings = edgeSettings(choices.value);
    if (format === "json") output.document(settings);
    else print({ io, output }, settings);
    return undefined;
  },
};

export const renderEcdsFile: LocalCommand = {
  name: "render ecds-file",
  summary: "print the file that a plain Envoy follows for the filter and its settings",
  args: [],
  options: {
    ...SETTINGS_OPTIONS,
    filter: { kind: "text", value: "PATH", required: true, what: "the compiled filter, as Envoy sees it" },
  },
  notes: [NOTHING_ASKED, FILTER_NOTE, "Replace the file by a rename: Envoy reads it then, and never half of it."],
  example: "render ecds-file --filter /etc/sluice/sluice-0.1.0.wasm",
  next: "write it beside the file, and mv it there, where Envoy's config_discovery follows that path",
  runLocally: async (invocation) => {
    const choices = await readChoices(invocation);
    if (!choices.ok) return choices.failure;
    const filterPath = invocation.text("filter") ?? "";
    print(invocation, ecdsFile({ filterPath, settings: edgeSettings(choices.value) }));
    return undefined;
  },
};
