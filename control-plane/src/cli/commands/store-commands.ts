// The commands that copy the store into a file and back. They ask no control plane: the folder is on this machine.
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

function dataOf({ text }: Pick<Given, "text">): string[] {
  const folder = text("data");
  return folder === undefined ? [] : ["--data", folder];
}

/** A program of its own has the store's library: this one starts without it, and ends without waiting for it. */
async function run(args: readonly string[], io: Pick<Io, "storeAdmin">, output: Output): Promise<Failure | undefined> {
  const { code, stdout, stderr } = await io.storeAdmin(args);
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
