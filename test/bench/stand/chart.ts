// The request path as a picture: a bar for each variant, in SVG without anything around it.
import type { Section } from "./section.js";

const WIDTH = 760;
const BAR_FROM = 380;
const BAR_TO = 690;
const ROW = 26;
const TOP = 46;

/** Of the first section of the request path: rows "name: what", added µs, quartiles "a … b". Ratios are left out. */
export function requestPathChart(sections: readonly Section[]): string {
  const section = sections.find(({ title }) => title.startsWith("The request path"));
  if (section === undefined) throw new Error("the part request-path, of which the picture is, was not run");
  const bars = section.rows.filter(([name = ""]) => name.includes(": ") && !name.startsWith("bareAgain")).map(barOf);
  const largest = Math.max(...bars.map(({ upper }) => upper));
  const x = (value: number): string => (BAR_FROM + ((BAR_TO - BAR_FROM) * Math.max(value, 0)) / largest).toFixed(1);
  const rows = bars.map(({ name, what, median, lower, upper }, i) => {
    const y = TOP + i * ROW;
    const fill = name.startsWith("sluice")
      ? "#1f6f5c"
      : /^(denied|invented|missing)/.test(name)
        ? "#7fb5a4"
        : "#a9adb5";
    return [
      `<text x="8" y="${y + 13}">${escape(what)}</text>`,
      `<rect x="${BAR_FROM}" y="${y}" width="${(Number(x(median)) - BAR_FROM).toFixed(1)}" height="18" fill="${fill}"/>`,
      `<path d="M${x(lower)} ${y + 9}H${x(upper)}" stroke="#222" stroke-width="1.5"/>`,
      `<text x="${WIDTH - 8}" y="${y + 13}" text-anchor="end">${median.toFixed(2)} µs</text>`,
    ].join("\n");
  });
  const height = TOP + bars.length * ROW + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="8" y="22" font-size="15" font-weight="bold">CPU that a request adds to Envoy, one hot session, HTTP/2</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function barOf([label = "", added = "", quartiles = ""]: readonly string[]) {
  const [name = "", what = ""] = label.split(": ", 2);
  const [lower = NaN, upper = NaN] = quartiles.split(" … ").map(Number);
  return { name, what, median: Number(added), lower, upper };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
