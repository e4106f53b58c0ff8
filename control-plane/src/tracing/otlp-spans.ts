// Spans by the OpenTelemetry SDK, sent by OTLP over HTTP. The SDK is loaded here, so only where tracing is on.
import type * as OtelApi from "@opentelemetry/api";
import type { Link, Span as OtelSpan, Tracer } from "@opentelemetry/api";
import type * as OtelSdk from "@opentelemetry/sdk-trace";
import type { Sampler } from "@opentelemetry/sdk-trace";

import type { Span, SpanStart, Spans } from "../app/ports/tracing-ports.js";
import type { TraceParent } from "../domain/trace-parent.js";
import type { SamplerSettings, TracingSettings } from "../settings/tracing.js";
import { SentSpans } from "./sent-spans.js";
import type { SentSpansParts } from "./sent-spans.js";

/** The library's names, loaded. */
type Api = typeof OtelApi;
type Sdk = typeof OtelSdk;

export interface OtlpParts extends Omit<SentSpansParts, "maxWaiting"> {
  /** Of the collector's certificate, and the client's own. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** service.name and the others; the operator's win over these. */
  readonly resource: Readonly<Record<string, string>>;
}

export interface OtlpSpans {
  readonly spans: Spans;
  /** Sends what waits. May take as long as the collector. */
  readonly end: () => Promise<void>;
}

export async function otlpSpans(settings: TracingSettings, parts: OtlpParts): Promise<OtlpSpans> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-proto"),
    import("@opentelemetry/resources"),
  ]);
  const sent = new SentSpans({ ...parts, maxWaiting: settings.batch.maxQueueSize });
  const { url, headers, timeoutMs, batch } = settings;
  // At the end all that waits goes out at once, beside a call that hangs.
  const concurrencyLimit = Math.ceil(batch.maxQueueSize / batch.maxExportBatchSize) + 1;
  const options = { headers: { ...headers }, timeoutMillis: timeoutMs, concurrencyLimit };
  const exporter = new OTLPTraceExporter({ url, ...options, httpAgentOptions: { keepAlive: true, ...parts.tls } });
  const queue = new sdk.BatchSpanProcessor({ exporter: sent.behind(exporter), ...batch });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ ...parts.resource, ...settings.resource }),
    sampler: samplerOf(sdk, settings.sampler),
    spanProcessors: [sent.before(queue)],
  });
  return { spans: new SdkSpans(api, provider.getTracer("sluice")), end: () => provider.shutdown() };
}

function samplerOf(sdk: Sdk, { kind, ratio }: SamplerSettings): Sampler {
  const samplers: Record<SamplerSettings["kind"], () => Sampler> = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(ratio),
    parentbased_always_on: () => new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    parentbased_always_off: () => new sdk.ParentBasedSampler({ root: new sdk.AlwaysOffSampler() }),
    parentbased_traceidratio: () => new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
  };
  return samplers[kind]();
}

class SdkSpan implements Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;

  constructor(
    private readonly api: Api,
    readonly otel: OtelSpan,
  ) {
    const { traceId, spanId } = otel.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.isSampled = otel.isRecording();
  }

  end(attributes: Parameters<Span["end"]>[0], failure?: string): void {
    this.otel.setAttributes(attributes);
    if (failure !== undefined) {
      this.otel.setAttribute("error.type", failure);
      this.otel.setStatus({ code: this.api.SpanStatusCode.ERROR });
    }
    this.otel.end();
  }
}

class SdkSpans implements Spans {
  constructor(
    private readonly api: Api,
    private readonly tracer: Tracer,
  ) {}

  request({ name, attributes }: SpanStart, caller: TraceParent | undefined): Span {
    const { SpanKind, ROOT_CONTEXT } = this.api;
    const parent = caller === undefined ? ROOT_CONTEXT : this.contextOf(caller);
    return new SdkSpan(this.api, this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent));
  }

  under({ name, attributes }: SpanStart, [first, ...others]: readonly [Span, ...Span[]]): Span {
    const { trace, ROOT_CONTEXT } = this.api;
    const links: Link[] = others.map((span) => ({ context: contextOfOwn(span) }));
    const parent = trace.setSpan(ROOT_CONTEXT, otelOf(first));
    return new SdkSpan(this.api, this.tracer.startSpan(name, { attributes, links }, parent));
  }

  private contextOf({ traceId, spanId, isSampled, state }: TraceParent) {
    const { trace, createTraceState, TraceFlags, ROOT_CONTEXT } = this.api;
    const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
    const traceState = state === "" ? {} : { traceState: createTraceState(state) };
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, ...traceState, isRemote: true });
  }
}

const contextOfOwn = (span: Span) => otelOf(span).spanContext();

function otelOf(span: Span): OtelSpan {
  if (span instanceof SdkSpan) return span.otel;
  throw new Error("a span of another library");
}
