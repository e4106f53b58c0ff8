// What is said of a failure in a log line or to an operator: anything may be thrown.

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
