// The command that shows what the command itself is set to, and where each of it stands.
import { tokenOf, urlOf } from "../client/access.js";
import { readConfiguration } from "../client/configuration.js";
import type { Configuration } from "../client/configuration.js";
import type { Invocation, LocalCommand } from "../command.js";
import { shownPath } from "../terminal/shown-words.js";
import type { Column } from "../terminal/output.js";

interface Row {
  readonly setting: string;
  /** Null: a secret, or not set. */
  readonly value: string | null;
  readonly from: string | null;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "SETTING", of: ({ setting }) => setting },
  { title: "VALUE", shrinks: true, of: ({ value, from }) => value ?? (from === null ? "-" : "(not shown)") },
  { title: "FROM", shrinks: true, of: ({ from }) => from ?? "-" },
];

export const config: LocalCommand = {
  name: "config",
  summary: "show where the control plane and the token are looked for, and what says so",
  args: [],
  options: {},
  notes: [
    "An option wins over the environment, and that over the configuration file: $SLUICE_CONFIG, else",
    "$XDG_CONFIG_HOME/sluice/config.yaml, else ~/.config/sluice/config.yaml. Its keys: url, tokenFile, tlsCaFile,",
    "clientCertFile, clientKeyFile. Nothing secret stands in it. Asks no control plane.",
  ],
  example: "config",
  next: "sluice doctor   asks whether what is there works",
  runLocally: async (invocation) => {
    const { env, io, output } = invocation;
    const configuration = await readConfiguration(env, io);
    if (!configuration.ok) return configuration.failure;
    const url = urlOf(env, configuration.value);
    if (!url.ok) return url.failure;
    const rows = rowsOf(invocation, url.value, configuration.value);
    if (output.json) for (const row of rows) output.document(row);
    else output.table(COLUMNS, rows);
    return undefined;
  },
};

function rowsOf({ env, text }: Invocation, url: URL, configuration: Configuration): Row[] {
  const { path, found } = configuration;
  const token = tokenOf(env, text("token-file"), configuration);
  const value = token !== undefined && "file" in token ? shownPath(token.file) : null;
  const files = (["tlsCaFile", "clientCertFile", "clientKeyFile"] as const).map((setting): Row => {
    const place = found(setting);
    return { setting, value: place === undefined ? null : shownPath(place.value), from: place?.from ?? null };
  });
  return [
    { setting: "configuration", value: path ?? null, from: null },
    { setting: "url", ...(found("url") ?? { value: url.href, from: "default" }) },
    { setting: "token", value, from: token?.from ?? null },
    ...files,
  ];
}
