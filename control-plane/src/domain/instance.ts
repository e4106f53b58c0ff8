// Who asks and reports.

/** One life of an edge's session table. */
export interface Instance {
  readonly edge: string;
  readonly instance: string;
}
