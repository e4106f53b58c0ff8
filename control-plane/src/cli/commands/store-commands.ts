// The commands about stores themselves. They ask no control plane: the folder is on this machine, a server is reached from it.
import type { Given, LocalCommand, Options } from "../command.js";
import { EXIT } from "../failure.js";
import type { Failure } from "../failure.js";
import type { Io } from "../terminal/io.js";
import type { Output } from "../terminal/output.js";

const DATA: Options = {
  data: { kind: "text", value: "FOLDER", what: "the data folder (else SLUICE_DATA_DIR, else .sluice)" },
};
const FILE = { name: "FILE", what: "the backup" };

export const storeBackup: LocalCommand = {
  name: "store backup",
  summary: "copy the store into a new file, whole or not at all; the control plane may run",
  args: [FILE],
  options: DATA,
  notes: [
    "The copy is as secret as the store, and only you can read it. In a container: run it in the control plane's.",
  ],
  example: "store backup /backups/sluice-1.mdb",
  next: "sluice store restore   makes the store what it was",
  runLocally: ({ args, io, output, ...given }) => run(["backup", ...args, ...dataOf(given)], io, output),
};

export const storeRestore: LocalCommand = {
  name: "store restore",
  summary: "make the store what it was at a backup; the control plane must not run",
  args: [FILE],
  options: { ...DATA, force: { kind: "flag", what: "replace the store that is there" } },
  notes: [
    "What came after the backup is lost. Every Envoy asks about each of its sessions again, and keeps its level.",
  ],
  example: "store restore /backups/sluice-1.mdb --force",
  next: "sluice edges   shows, once the control plane runs, who has asked again",
  runLocally: ({ args, io, output, ...given }) => {
    const force = given.flag("force") ? ["--force"] : [];
    return run(["restore", ...args, ...force, ...dataOf(given)], io, output);
  },
};

const STORE = "lmdb:FOLDER, or a URL such as redis://cache:6379";

export const storeCopy: LocalCommand = {
  name: "store copy",
  summary: "copy a store into an empty one, or go on with that; no control plane may run",
  args: [],
  options: {
    from: { kind: "text", value: "STORE", what: STORE },
    "from-file": { kind: "text", value: "FILE", what: "the store to copy is named in this file" },
    to: { kind: "text", value: "STORE", what: "the same of the store to make" },
    "to-file": { kind: "text", value: "FILE", what: "the store to make is named in this file" },
    stopped: { kind: "flag", what: "no control plane of the source runs, though it looks as if one did" },
  },
  notes: [
    "A URL with a password stands in a file. TLS files and the Sentinels' login are those of the environment, as the control",
    "plane takes them. Interrupted, the same command goes on. At the end both stores are compared. The source stays as it is.",
  ],
  example: "store copy --from lmdb:.sluice --to-file /run/secrets/store-url",
  next: "SLUICE_STORE_FILE=/run/secrets/store-url   in the control plane's environment, and start it",
  runLocally: ({ io, output, ...given }) => {
    const stopped = given.flag("stopped") ? ["--stopped"] : [];
    const named = optionsOf(given, ["from", "from-file", "to", "to-file"]);
    return run(["copy", ...named, ...stopped], io, output);
  },
};

export const storeInit: LocalCommand = {
  name: "store init",
  summary: "make an empty Redis or Valkey a store that control planes take",
  args: [],
  options: {
    at: { kind: "text", value: "STORE", what: "the server's URL (else SLUICE_STORE or SLUICE_STORE_FILE)" },
    "at-file": { kind: "text", value: "FILE", what: "the server's URL is in this file" },
  },
  notes: ["One that has lost its data is empty too: whoever begins it anew gives up the sessions that it held."],
  example: "store init --at redis://cache:6379",
  next: "SLUICE_STORE=redis://cache:6379   in the control plane's environment, and start it",
  runLocally: ({ io, output, ...given }) => run(["init", ...optionsOf(given, ["at", "at-file"])], io, output),
};

/** As `--name=value`: a value may begin with a dash. */
function optionsOf({ text }: Pick<Given, "text">, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = text(name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
}

function dataOf({ text }: Pick<Given, "text">): string[] {
  const folder = text("data");
  return folder === undefined ? [] : ["--data", folder];
}

/** A program of its own has the store's library: this one starts without it, and ends without waiting for it. */
async function run(args: readonly string[], io: Pick<Io, "storeAdmin">, output: Output): Promise<Failure | undefined> {
  const { code, stdout, stderr } = await io.storeAdmin(args, (line) => {
    output.remark(line);
  });
  const sentences = stderr.split("\n").flatMap((line) => (line === "" ? [] : [line.replace(/^store-admin: /, "")]));
  if (code === 0) {
    for (const warning of sentences) output.remark(warning);
    const done = stdout.trimEnd();
    if (output.json) output.document({ done });
    else output.line(done);
    return undefined;
  }
  return { exit: code === 1 ? EXIT.denied : EXIT.usage, code: "STORE_FAILED", message: sentences.join("; ") };
}
