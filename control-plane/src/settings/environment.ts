// The one reader of environment variables, for the control plane, the command line and npm start.
import type { Variable } from "./variables.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that cannot be used. Each program says it in its own words. */
export interface VariableViolation {
  readonly variable: string;
  /** Such as "a port from 1 to 65535". */
  readonly expected: string;
  readonly given: string;
}

export const MAX_PORT = 65535;
/** In place of a file's path: there is to be none. */
export const NO_FILE = "none";

/** An empty variable counts as not set: that is how shells and Compose files unset one. So does a link to a service. */
export function given(env: Environment, name: Variable): string | undefined {
  const value = env[name];
  return value === undefined || value === "" || isServiceLink(name, value) ? undefined : value;
}

const ADDRESS = /^(tcp|udp|sctp):\/\/\S+:\d+$/;
const LINK_NAMES =
  /^SLUICE_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR|START|END))?)$/;
const LINKED_CONTAINER = /^\/[^/\s]+\/[^/\s]+$/;

/**
 * Whether Kubernetes has set it, which it does in every pod for each Service of the namespace (of one named `sluice-http`
 * also SLUICE_HTTP_PORT=tcp://10.0.0.1:8080), or a link of Docker.
 */
export function isServiceLink(name: string, value: string): boolean {
  if (LINK_NAMES.test(name) || name.startsWith("SLUICE_ENV_")) return true;
  if (name.endsWith("_PORT")) return ADDRESS.test(value);
  return name.endsWith("_NAME") && LINKED_CONTAINER.test(value);
}

/** A variable at violation is answered by its default, unless `violated` throws. */
export class EnvironmentReader {
  constructor(
    private readonly env: Environment,
    protected readonly violated: (violation: VariableViolation) => void,
  ) {}

  text(name: Variable, byDefault: string): string {
    return this.given(name) ?? byDefault;
  }

  /** Undefined also where it says that there is to be none. */
  file(name: Variable): string | undefined {
    const path = this.given(name);
    return path === NO_FILE ? undefined : path;
  }

  /** @param least 0 where the system may choose one */
  port(name: Variable, least: 0 | 1, byDefault: number): number {
    const expected = `a port from ${least} to ${MAX_PORT}${least === 0 ? " (0: any that is free)" : ""}`;
    return this.parsed(name, byDefault, expected, (text) => integerOf(text, least, MAX_PORT));
  }

  integer(name: Variable, max: number, byDefault: number): number {
    return this.parsed(name, byDefault, `an integer from 1 to ${max}`, (text) => integerOf(text, 1, max));
  }

  oneOf<Value extends string>(name: Variable, values: readonly Value[], byDefault: Value): Value {
    const parse = (text: string): Value | undefined => values.find((one) => one === text);
    return this.parsed(name, byDefault, `one of ${values.join(", ")}`, parse);
  }

  /** @param parse answers undefined for a text at violation */
  parsed<Value>(name: Variable, byDefault: Value, expected: string, parse: (text: string) => Value | undefined): Value {
    const text = this.given(name);
    if (text === undefined) return byDefault;
    const value = parse(text);
    if (value !== undefined) return value;
    this.violated({ variable: name, expected, given: text });
    return byDefault;
  }

  given(name: Variable): string | undefined {
    return given(this.env, name);
  }
}

function integerOf(text: string, min: number, max: number): number | undefined {
  const value = Number(text);
  return /^\d{1,15}$/.test(text) && value >= min && value <= max ? value : undefined;
}
