// The walls of the house: which folder may import which, and that no imports run in a circle. Part of `npm run lint`.
// docs/architecture.md#layout says what each folder is for.

/** A wall: what stands in `from` imports nothing that stands in one of `to`. */
const wall = (name, from, to, comment, except = []) => ({
  name,
  severity: "error",
  comment,
  from: { path: `^${from}`, ...(except.length > 0 && { pathNot: except.map((path) => `^${path}`) }) },
  to: { path: to.map((path) => `^${path}`) },
});

/** One wall a room: none imports a room that stands later in the list. */
const layers = (house, rooms, comment) =>
  rooms.slice(0, -1).map((room, at) =>
    wall(
      `${house}/${room}`,
      `${house}/${room}/`,
      rooms.slice(at + 1).map((later) => `${house}/${later}/`),
      comment,
    ),
  );

const FILTER = "assembly/filter";
const FILTER_ROOMS = ["vm", "state", "table", "policy", "edge", "request"];
const EXIT = "assembly/host/exit\\.ts";
const PLANE = "control-plane/src";
const SHARED_SETTINGS = "environment|variables|unknown-variables|replaced-settings|secret-files|secret-text";
const ENTRIES = "assembly/(index|lean|settle)\\.ts";

export default {
  forbidden: [
    {
      name: "no-circle",
      severity: "error",
      comment: "A file that needs itself, over however many others, can be neither read nor tested by itself.",
      from: { pathNot: "^test/" },
      to: { circular: true },
    },
    {
      name: "no-circle-of-values",
      severity: "error",
      comment: "As no-circle; but what the tests' Envoy consists of (host, VM, stream) may name each other's types.",
      from: { path: "^test/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },

    // The filter: index → filter → {domain, memory, host}; host → memory; domain → memory.
    wall("contract", "assembly/contract\\.ts", [""], "asc and tsc compile contract.ts: it imports nothing."),
    wall("host-only", "assembly/", ["node_modules/@solo-io/"], "Only assembly/host calls the host.", [
      "assembly/host/",
    ]),
    wall("entries", ENTRIES, ["assembly/(domain|host)/"], "The entries name callbacks and where they go, no more."),
    wall("filter", `${FILTER}/`, [ENTRIES], "Entries import the filter."),
    wall("host", "assembly/host/", [ENTRIES, "assembly/(domain|filter)/"], "A host call knows nothing of sessions."),
    wall("domain", "assembly/domain/", [ENTRIES, "assembly/(host|filter)/"], "The domain is pure: no host call."),
    wall("memory", "assembly/memory/", [ENTRIES, "assembly/(host|filter|domain)/"], "Memory holds bytes, no meaning."),
    wall("one-exit", "assembly/", [EXIT], "A request leaves the filter in apply.ts; reply.ts has the form.", [
      `${FILTER}/request/(apply|reply)\\.ts`,
    ]),
    wall("one-answer", "assembly/", [`${FILTER}/request/reply\\.ts`], "Only apply.ts answers.", [
      `${FILTER}/request/apply\\.ts`,
    ]),
    wall(
      "deciding-counts-nothing",
      `${FILTER}/request/`,
      [`${FILTER}/(vm/(settle-|lease-)?counters|state/plan-counts)\\.ts`],
      "What became of a request is counted in apply.ts; answers of the control plane, a response and a settlement count their own.",
      [`${FILTER}/request/(apply|acquire-answer|lease-answer|response|reserve|settle)\\.ts`],
    ),
    ...layers(FILTER, FILTER_ROOMS, `Rooms of the filter: ${FILTER_ROOMS.join(" ← ")}.`),
    wall(
      "filter-rooms",
      `${FILTER}/(${FILTER_ROOMS.join("|")})/`,
      [`${FILTER}/[^/]+\\.ts`],
      "What Envoy calls beside requests (configure, tick, answer) imports rooms, not the reverse.",
    ),

    // The control plane: http → app → domain ← render ← cli; store implements app/ports; main joins.
    wall("plane-domain", `${PLANE}/domain/`, [`${PLANE}/(?!domain/)`], "The domain is pure."),
    wall("plane-ports", `${PLANE}/app/ports/`, [`${PLANE}/(?!domain/|app/ports/)`], "Ports name domain values only."),
    wall(
      "plane-app",
      `${PLANE}/app/`,
      [`${PLANE}/(?!domain/|app/)`],
      "Use cases know ports, not what implements them.",
    ),
    wall(
      "published-edge",
      `${PLANE}/(app|http)/(edges|edge)/`,
      [`${PLANE}/app/policy/`],
      "What an edge is to run, only the port's published(edge) says: its use cases know no newest policy.",
    ),
    wall(
      "plane-render",
      `${PLANE}/render/`,
      [`${PLANE}/(?!domain/|render/|files/)`],
      "What is rendered needs no process; its template is a file.",
    ),
    wall(
      "plane-files",
      `${PLANE}/files/`,
      [`${PLANE}/(?!app/ports/|files/)`],
      "To read and to watch files takes their paths and timers.",
    ),
    wall(
      "plane-store",
      `${PLANE}/store/`,
      [`${PLANE}/(?!domain/|app/ports/|store/|files/)`],
      "A store implements ports, over files.",
    ),
    wall("plane-http", `${PLANE}/http/`, [`${PLANE}/(?!domain/|app/|http/|tls/)`], "HTTP calls use cases."),
    wall(
      "plane-cli",
      `${PLANE}/cli/`,
      [`${PLANE}/(?!domain/|render/|cli/|files/|settings/(${SHARED_SETTINGS})\\.ts)`],
      "The command line speaks REST. Its environment and its files it reads as every program here does.",
    ),
    wall(
      "environment",
      `${PLANE}/settings/(${SHARED_SETTINGS})\\.ts`,
      [`(?!${PLANE}/(files/|settings/(${SHARED_SETTINGS})\\.ts))`],
      "Every program reads its environment with it.",
    ),
    wall("http-admin", `${PLANE}/http/admin/`, [`${PLANE}/http/(edge|status)/`], "Admin, edge and status are apart."),
    wall("http-edge", `${PLANE}/http/edge/`, [`${PLANE}/http/(admin|status)/`], "Admin, edge and status are apart."),
    wall("http-status", `${PLANE}/http/status/`, [`${PLANE}/http/(admin|edge)/`], "Admin, edge and status are apart."),
    ...["lmdb", "redis", "memory"].map((engine) =>
      wall(
        `store-${engine}`,
        `${PLANE}/store/${engine}/`,
        [`${PLANE}/store/(?!${engine}/)[a-z]+/(?<!copy/)`],
        "No engine knows another.",
      ),
    ),

    wall("product", "(assembly|control-plane/src|scripts)/", ["(test|control-plane/test)/"], "Tests stay outside."),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(build|node_modules/(?!@solo-io))" },
  },
};
