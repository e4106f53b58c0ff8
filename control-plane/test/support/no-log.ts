// A log that keeps nothing, for tests of what is beside it.
const nothing = (): undefined => undefined;

export const noLog = { debug: nothing, info: nothing, warn: nothing, error: nothing };
