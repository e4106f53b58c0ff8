// What a command is: its words, what it takes, what its help teaches, and what it does.
import type { Environment } from "../settings/environment.js";
import type { Client } from "./client/client.js";
import type { SecretReading } from "./client/secret-reading.js";
import type { Failure } from "./failure.js";
import type { Io } from "./terminal/io.js";
import type { Output } from "./terminal/output.js";

export interface Option {
  readonly kind: "text" | "flag" | "count" | "seconds";
  readonly what: string;
  /** What stands for its value in the help: `ID`. */
  readonly value?: string;
  /** All that its value may be. */
  readonly values?: readonly string[];
  /** One letter. */
  readonly short?: string;
  readonly required?: true;
  /** Of a count or a number of seconds; else 1 and a million. */
  readonly least?: number;
  readonly most?: number;
}

export type Options = Readonly<Record<string, Option>>;

export interface Argument {
  /** In capitals: `ID`. */
  readonly name: string;
  readonly what: string;
  readonly optional?: true;
  /** All that it may be. */
  readonly values?: readonly string[];
  /** The last one only: any number of them. */
  readonly many?: true;
}

/** The arguments and options that were given, checked against what the command takes. */
export interface Given {
  readonly args: readonly string[];
  readonly text: (option: string) => string | undefined;
  readonly number: (option: string) => number | undefined;
  readonly flag: (option: string) => boolean;
}

export interface Invocation extends Given {
  readonly io: Io & SecretReading;
  readonly env: Environment;
  readonly output: Output;
}

interface Taught {
  /** `session create`. */
  readonly name: string;
  /** One sentence, without a full stop. */
  readonly summary: string;
  readonly args: readonly Argument[];
  readonly options: Options;
  /** What else there is to know, in short lines. */
  readonly notes?: readonly string[];
  /** Without `./sluice`. */
  readonly example: string;
  /** What one does after it. */
  readonly next: string;
}

export interface ApiCommand extends Taught {
  readonly run: (invocation: Invocation, client: Client) => Promise<Failure | undefined>;
}

/** Needs no control plane. */
export interface LocalCommand extends Taught {
  readonly runLocally: (invocation: Invocation) => Promise<Failure | undefined>;
}

export type Command = ApiCommand | LocalCommand;

export const FORMATS = ["text", "json"] as const;

/** Every command takes them. */
export const GENERAL_OPTIONS: Options = {
  output: { kind: "text", value: "FORMAT", short: "o", values: FORMATS, what: "text (the default) or json; also -o" },
  json: { kind: "flag", what: "as -o json: one document, or one line for each item of a list" },
  "token-file": { kind: "text", value: "FILE", what: "the admin token is in this file (else in SLUICE_ADMIN_TOKEN)" },
  timeout: { kind: "seconds", value: "SECONDS", most: 3600, what: "how long to wait for each answer (10)" },
  help: { kind: "flag", what: "show this; also -h" },
};
