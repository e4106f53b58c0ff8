// On whose behalf something is done: requests, by the ids that log lines and traces have of them.
import type { TraceParent } from "../../domain/trace-parent.js";

export type SpanAttributes = Readonly<Record<string, string | number>>;

/** A piece of work in a trace, under way. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** False: it goes nowhere, and nothing under it is made. */
  readonly isSampled: boolean;
  /** @param failure what went wrong, in a word; undefined: nothing did */
  end(attributes: SpanAttributes, failure?: string): void;
}

export interface SpanStart {
  readonly name: string;
  readonly attributes: SpanAttributes;
}

/** Makes spans. There is none while tracing is off. */
export interface Spans {
  /** Of a request to this process. */
  request(start: SpanStart, caller: TraceParent | undefined): Span;
  /** Under the first of the spans, and linked with the others. */
  under(start: SpanStart, spans: readonly [Span, ...Span[]]): Span;
}

/** A request that is being answered. */
export interface FollowedRequest {
  readonly requestId: string;
  /** As its headers say; undefined: they say nothing. */
  readonly caller: TraceParent | undefined;
  /** Once its caller was let in, where spans are made. */
  span: Span | undefined;
  /** It was answered: what still goes on is not its own any more. */
  isOver: boolean;
}

/** Knows, wherever something is done, for which requests. */
export interface Requests {
  /** Runs work, and all that follows from it, on behalf of these. */
  run<Result>(requests: readonly FollowedRequest[], work: () => Result): Result;
  /** Those that are not over. */
  current(): readonly FollowedRequest[];
}

/** What a log line says of a request. */
export interface RequestIds {
  readonly requestId: string;
  readonly traceId?: string;
  /** Only of a span that goes to a collector. */
  readonly spanId?: string;
}

export function idsOf({ requestId, caller, span }: FollowedRequest): RequestIds {
  if (span?.isSampled === true) return { requestId, traceId: span.traceId, spanId: span.spanId };
  const traceId = span?.traceId ?? caller?.traceId;
  return traceId === undefined ? { requestId } : { requestId, traceId };
}
