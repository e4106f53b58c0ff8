// A document that a command validates on this machine: where it is read from, and how a violation in it is shown.
import type { LocatedViolation } from "../../domain/policy/policy.js";
import { done, failed, usageFailure } from "../failure.js";
import type { Outcome } from "../failure.js";
import type { Io } from "../terminal/io.js";

export interface Source {
  /** As messages name it. */
  readonly name: string;
  readonly text: string;
}

export function readSource(file: string, io: Io): Outcome<Source> {
  const [name, read] = file === "-" ? ["<stdin>", io.readInput] : [file, () => io.readFile(file)];
  try {
    return done({ name, text: read() });
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return failed(usageFailure(`${name} cannot be read: ${reason}`));
  }
}

/** `policy.yaml:12:22: plans[1].maxTokens: expected …`. */
export function violationLine(name: string, { line, column, path, message }: LocatedViolation): string {
  return `${name}:${line}:${column}: ${path === "" ? message : `${path}: ${message}`}`;
}
