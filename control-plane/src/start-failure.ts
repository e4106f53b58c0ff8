/** What keeps the process from starting, in one sentence for the operator. */
export class StartFailure extends Error {}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
