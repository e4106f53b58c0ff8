// Where a request stands in a trace that its caller began (W3C Trace Context: traceparent and tracestate).

export interface TraceParent {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Of the caller's span: 16 lower-case hex digits. */
  readonly spanId: string;
  /** Whether the caller keeps its part of the trace. */
  readonly isSampled: boolean;
  /** What vendors say of it, as it came; "" where nothing. */
  readonly state: string;
}

/** Versions after 00 may say more behind a further dash. */
const FORM = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;
const FORM_BYTES = 55;
const SAMPLED = 1;
/** What everyone who passes a tracestate on must take. */
const MAX_STATE_CHARS = 512;

/** Undefined where a header is none, or of no form that this version knows: then the trace begins here. */
export function readTraceParent(traceparent: unknown, tracestate?: unknown): TraceParent | undefined {
  if (typeof traceparent !== "string") return undefined;
  const [, version, traceId, spanId, flags] = FORM.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === "00" && traceparent.length !== FORM_BYTES) return undefined;
  const state = typeof tracestate === "string" && tracestate.length <= MAX_STATE_CHARS ? tracestate : "";
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & SAMPLED) !== 0, state };
}
