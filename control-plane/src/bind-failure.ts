// Why nothing listens where it was to, in a sentence that names the one setting to change.
import { messageOf } from "./domain/message-of.js";
import { EXIT, StartFailure } from "./start-failure.js";
import { codeOf } from "./files/regular-file.js";
import { hostPort } from "./settings/address.js";
import type { Address } from "./settings/address.js";
import type { Variable } from "./settings/variables.js";

/** The settings that an address stands in. */
export interface AddressVariables {
  readonly host: Variable;
  readonly port: Variable;
}

export function bindFailure({ host, port }: Address, variables: AddressVariables, error: unknown): StartFailure {
  const address = hostPort({ host, port });
  switch (codeOf(error)) {
    case "EADDRINUSE": {
      const todo = `stop what listens there, or set ${variables.port} to another port`;
      return new StartFailure(`${address} is already in use: ${todo}`, EXIT.failed);
    }
    case "EACCES": {
      const why = "this process's user may not listen on it (EACCES); those below 1024 are root's as a rule";
      return new StartFailure(`${variables.port}: expected a port that is permitted, got ${port}: ${why}`, EXIT.config);
    }
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
    case "EINVAL":
    case "ENOTFOUND":
    case "EAI_AGAIN": {
      const expected = "expected an address of this machine, or a name of one";
      return new StartFailure(`${variables.host}: ${expected}, got "${host}" (${String(codeOf(error))})`, EXIT.config);
    }
    default:
      return new StartFailure(
        `cannot listen on ${address} (${variables.host}, ${variables.port}): ${messageOf(error)}`,
        EXIT.failed,
      );
  }
}
