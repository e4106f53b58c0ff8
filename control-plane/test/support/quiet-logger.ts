// A logger whose lines nobody reads.
import type { Logger } from "../../src/app/ports/ports.js";

const nothing = (): void => undefined;

export const quiet: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
