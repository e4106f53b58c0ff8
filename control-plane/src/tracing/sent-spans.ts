// What becomes of spans on their way to the collector: a bound on those that wait, counts, and a line now and then.
import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace";

import { LogLineRate } from "../app/access/log-line-rate.js";
import type { Clock, Logger } from "../app/ports/ports.js";
import { messageOf } from "../domain/message-of.js";

/** dropped: too many waited already. */
export type SpanOutcome = "sent" | "failed" | "dropped";

export interface SentSpansParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
  readonly counted: (outcome: SpanOutcome, spans: number) => void;
  /** Spans that may wait. */
  readonly maxWaiting: number;
}

/** The library's ExportResultCode.SUCCESS. */
const SUCCESS = 0;
const SAMPLED = 1;
const LINES_A_MINUTE = 1;
const MAX_REASON_CHARS = 200;

/** Stands before and behind the library's queue: what this lets in fits there, so that nothing is dropped unseen. */
export class SentSpans {
  private readonly lines: LogLineRate;
  private waiting = 0;
  /** Since the last line about them. */
  private lost = 0;
  private isFailing = false;

  constructor(private readonly parts: SentSpansParts) {
    this.lines = new LogLineRate(parts.clock, LINES_A_MINUTE);
  }

  before(queue: SpanProcessor): SpanProcessor {
    return {
      onStart: () => undefined,
      onEnd: (span) => {
        if ((span.spanContext().traceFlags & SAMPLED) === 0) return;
        if (this.waiting >= this.parts.maxWaiting) {
          this.lose("dropped", 1, "too many wait");
        } else {
          this.waiting += 1;
          queue.onEnd(span);
        }
      },
      forceFlush: () => queue.forceFlush(),
      shutdown: () => queue.shutdown(),
    };
  }

  behind(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done) => {
        this.waiting -= spans.length;
        exporter.export(spans, (result) => {
          const code: number = result.code;
          if (code === SUCCESS) this.noteSent(spans.length);
          else this.lose("failed", spans.length, reasonOf(result.error));
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
    };
  }

  private noteSent(spans: number): void {
    this.parts.counted("sent", spans);
    if (this.isFailing) this.parts.logger.info({ event: "spans-sent-again" }, "the collector takes spans again");
    this.isFailing = false;
  }

  private lose(outcome: SpanOutcome, spans: number, reason: string): void {
    this.parts.counted(outcome, spans);
    this.lost += spans;
    this.isFailing = true;
    if (this.lines.take() === undefined) return;
    const fields = { event: "spans-not-sent", spans: this.lost, reason };
    this.parts.logger.warn(fields, `${this.lost} spans were not sent to the collector: ${reason}`);
    this.lost = 0;
  }
}

/** Of what a collector says only its status: it may say anything. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "number") return `it answered ${code}`;
  return typeof code === "string" ? code : messageOf(error).slice(0, MAX_REASON_CHARS);
}
