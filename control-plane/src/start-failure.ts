/** What keeps the process from starting, in one sentence for the operator. */
export class StartFailure extends Error {}
