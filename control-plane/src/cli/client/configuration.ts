// Where each setting of the command stands: in an option, in the environment, or in its configuration file, in this order.
import { dirname, isAbsolute, join } from "node:path";

import { whyUnreadable } from "../../files/file-reader.js";
import { codeOf } from "../../files/regular-file.js";
import { given, NO_FILE } from "../../settings/environment.js";
import type { Environment } from "../../settings/environment.js";
import type { Variable } from "../../settings/variables.js";
import { violationLine } from "../../domain/policy/violation-line.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import type { Io } from "../terminal/io.js";
import type { ConfigurationKey, ConfigurationValues } from "./configuration-file.js";

/** A setting that is given, and what a message calls it: `SLUICE_URL`, `url in /home/ada/.config/sluice/config.yaml`. */
export interface Found {
  readonly value: string;
  readonly from: string;
}

export interface Configuration {
  /** The file that was read; undefined: there is none. */
  readonly path: string | undefined;
  readonly found: (key: ConfigurationKey) => Found | undefined;
}

const VARIABLES: Readonly<Record<ConfigurationKey, Variable>> = {
  url: "SLUICE_URL",
  tokenFile: "SLUICE_ADMIN_TOKEN_FILE",
  tlsCaFile: "SLUICE_TLS_CA_FILE",
  clientCertFile: "SLUICE_CLIENT_CERT_FILE",
  clientKeyFile: "SLUICE_CLIENT_KEY_FILE",
};
const MAX_BYTES = 65_536;

type Files = Pick<Io, "readFile" | "isWritableByAll">;

export async function readConfiguration(env: Environment, io: Files): Promise<Outcome<Configuration>> {
  const place = placeOf(env);
  const file = place === undefined ? undefined : await readFileAt(place, io);
  if (file?.ok === false) return file;
  const values = file?.value;
  const path = values === undefined ? undefined : place?.path;
  const found = (key: ConfigurationKey): Found | undefined => {
    const inEnvironment = given(env, VARIABLES[key]);
    if (inEnvironment !== undefined) return { value: inEnvironment, from: VARIABLES[key] };
    const value = values?.[key];
    if (value === undefined || path === undefined) return undefined;
    return { value: key === "url" ? value : pathFrom(value, path, env), from: `${key} in ${path}` };
  };
  return done({ path, found });
}

interface Place {
  readonly path: string;
  /** Whether somebody named it: then it has to be there. */
  readonly isNamed: boolean;
}

/** As the XDG base directory specification has it: a folder that is no absolute path does not count. */
function placeOf(env: Environment): Place | undefined {
  const named = given(env, "SLUICE_CONFIG");
  if (named !== undefined) return named === NO_FILE ? undefined : { path: named, isNamed: true };
  const [xdg = "", home = ""] = [env.XDG_CONFIG_HOME, env.HOME];
  const folder = isAbsolute(xdg) ? xdg : isAbsolute(home) ? join(home, ".config") : undefined;
  return folder === undefined ? undefined : { path: join(folder, "sluice", "config.yaml"), isNamed: false };
}

/** Undefined where there is none, and nobody said that there is. */
async function readFileAt({ path, isNamed }: Place, io: Files): Promise<Outcome<ConfigurationValues> | undefined> {
  let bytes: Buffer;
  try {
    bytes = await io.readFile(path, MAX_BYTES);
  } catch (error) {
    const code = codeOf(error);
    // EACCES: HOME is another user's, such as root's under `su`.
    if (!isNamed && ["ENOENT", "ENOTDIR", "EACCES"].includes(String(code))) return undefined;
    const from = isNamed ? "SLUICE_CONFIG: " : "";
    return failed(usageFailure(`${from}${path} cannot be read: ${whyUnreadable(error)}`));
  }
  // Whoever may write it has the next call, and the token in it, sent where they like.
  if (await io.isWritableByAll(path)) {
    return failed(usageFailure(`${path}: every user of this machine may write it`, `chmod o-w ${path}`));
  }
  // Loads the YAML reader, which nobody without such a file needs.
  const { readConfigurationFile } = await import("./configuration-file.js");
  const read = readConfigurationFile(bytes, MAX_BYTES);
  if ("values" in read) return done(read.values);
  const [first] = read.violations;
  const more = read.violations.length === 1 ? "" : ` (and ${read.violations.length - 1} more)`;
  return failed(usageFailure(`${first === undefined ? path : violationLine(path, first)}${more}`));
}

/** Relative to the file in which it stands, or to the home folder. */
function pathFrom(value: string, file: string, env: Environment): string {
  if (value.startsWith("~/") && env.HOME !== undefined) return join(env.HOME, value.slice(2));
  return isAbsolute(value) ? value : join(dirname(file), value);
}
