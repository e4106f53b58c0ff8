// Tracing, where the settings name a collector: its files are read, the library loaded, and at the end what waits is sent.
import type { Registry } from "prom-client";

import type { Timers } from "./app/ports/log-ports.js";
import type { Clock, Logger, Random } from "./app/ports/ports.js";
import type { Spans } from "./app/ports/tracing-ports.js";
import { ownVersion } from "./cli/version.js";
import { whyUnreadable } from "./files/file-reader.js";
import type { FileReader } from "./files/file-reader.js";
import { spanCounter } from "./http/status/span-metrics.js";
import type { TracingSettings } from "./settings/tracing.js";
import { EXIT, StartFailure } from "./start-failure.js";
import type { Started } from "./started.js";
import type { NamedFile } from "./store/store-address.js";
import { otlpSpans } from "./tracing/otlp-spans.js";

export interface TracingStart {
  readonly settings: { readonly tracing: TracingSettings | null };
  readonly files: { readonly tls: Pick<FileReader, "read"> };
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly started: Started;
  readonly registry: Registry;
}

const SERVICE = "sluice-control-plane";
const MAX_PEM_BYTES = 1024 * 1024;
/** At the end a collector is not waited for any longer. */
const END_MS = 2000;

/** Undefined: it is off, and nothing of it is loaded. @throws StartFailure where a file cannot be used */
export async function startTracing(start: TracingStart): Promise<Spans | undefined> {
  const { settings, files, clock, timers, random, log, started, registry } = start;
  const { tracing } = settings;
  const counted = spanCounter(registry);
  if (tracing === null) return undefined;
  const { ca, cert, key } = tracing.tls;
  const [caPem, certPem, keyPem] = await Promise.all([ca, cert, key].map((file) => pem(file, files.tls)));
  const { spans, end } = await otlpSpans(tracing, {
    clock,
    logger: log,
    counted,
    tls: { ...(caPem && { ca: caPem }), ...(certPem && { cert: certPem }), ...(keyPem && { key: keyPem }) },
    resource: { "service.name": SERVICE, "service.version": ownVersion(), "service.instance.id": instanceId(random) },
  });
  started.add(() => within(END_MS, end(), timers));
  log.info({ event: "tracing", url: tracing.url, sampler: tracing.sampler.kind }, `spans are sent to ${tracing.url}`);
  return spans;
}

async function pem(file: NamedFile | null, reader: Pick<FileReader, "read">): Promise<Buffer | undefined> {
  if (file === null) return undefined;
  try {
    return await reader.read(file.path, MAX_PEM_BYTES);
  } catch (error) {
    throw new StartFailure(`${file.variable}: ${file.path} cannot be used: ${whyUnreadable(error)}`, EXIT.config);
  }
}

/** A UUID of version 4. */
function instanceId(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Whether the work is done by then does not matter. Never rejects. */
function within(ms: number, work: Promise<void>, timers: Timers): Promise<void> {
  return new Promise((resolve) => {
    const cancel = timers.after(ms, resolve);
    const over = (): void => {
      cancel();
      resolve();
    };
    work.then(over, over);
  });
}
