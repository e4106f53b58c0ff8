// The figures as a reader sees them: medians, and the quartiles of what is compared.
import type { Measured } from "./measure.js";
import type { Quartiles } from "./samples.js";

const COLUMNS = ["req/s", "CPU µs", "core", "p50 ms", "p99 ms", "req/s ÷ base", "CPU ÷ base"];
const NAME_CHARS = 46;
const COLUMN_CHARS = [8, 8, 6, 8, 8, 22, 22];

export function table(measured: readonly Measured[]): string {
  const lines = measured.map(({ name, summary }) => {
    const { perSecond, cpuUsPerRequest, busy, p50Ms, p99Ms, throughputRatio, cpuRatio } = summary;
    const figures = [
      perSecond.median.toFixed(0),
      cpuUsPerRequest.median.toFixed(1),
      busy.median.toFixed(2),
      p50Ms.median.toFixed(2),
      p99Ms.median.toFixed(2),
      withQuartiles(throughputRatio),
      withQuartiles(cpuRatio),
    ];
    return line(name, figures);
  });
  return [line("", COLUMNS), ...lines].join("\n");
}

const withQuartiles = ({ lower, median, upper }: Quartiles): string =>
  `${median.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`;

function line(name: string, figures: readonly string[]): string {
  return [name.padEnd(NAME_CHARS), ...figures.map((figure, i) => figure.padStart(COLUMN_CHARS[i] ?? 0))].join(" ");
}
