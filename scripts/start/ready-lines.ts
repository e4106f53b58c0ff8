// What npm start prints once everything serves. Holds a live token: for the terminal, never for a log.
import { relative } from "node:path";
import type { Launch } from "./start-steps.js";
import { controlPlaneUrl, proxyUrl } from "./start-steps.js";
import { LOOPBACK } from "./settings.js";

/** The addresses, and lines that can be pasted into a shell in the present folder. */
export function readyLines(launch: Launch, token: string): string[] {
  const { settings, adminToken, adminTokenFile, logDir } = launch;
  const proxy = proxyUrl(settings);
  const plane = controlPlaneUrl(settings);
  // There may be several, with commas between.
  const first = adminToken.includes(",") ? "cut -d, -f1" : "cat";
  const admin =
    adminTokenFile === undefined ? "${SLUICE_ADMIN_TOKEN%%,*}" : `$(${first} ${quoted(shortest(adminTokenFile))})`;
  return [
    "",
    `ready: proxy ${proxy}, control plane ${plane}, Envoy admin http://${LOOPBACK}:${settings.envoyAdminPort}`,
    "",
    "  # without a session: 401",
    `  curl -i ${proxy}/`,
    "  # with one: 200, and what is left in the RateLimit header",
    `  curl -i ${proxy}/ -H "X-Session-ID: ${token}"`,
    "  # a session of your own",
    `  curl -s -X POST ${plane}/v1/sessions -H "authorization: Bearer ${admin}" \\`,
    `    -H 'content-type: application/json' -d '{"userId":"u1","orgId":"o1"}'`,
    "",
    `Logs: ${shortest(logDir)}   Policy: ${shortest(settings.policyFile)} (edit it, it takes effect at once)   Stop: Ctrl-C`,
  ];
}

function shortest(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}

/** For a shell, also inside double quotes: within $( ) quoting starts anew. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
