// Two Envoys that were given one node.id.
import { type Installation, useInstallation } from "./installation.js";
import type { PolicyDocument } from "./policy.js";

/** The second one is given the name of the first, and calls from an address of its own. */
const likeTheFirst = (yaml: string): string =>
  yaml
    .replace(/^( *)id: gw-copy$/m, "$1id: gw")
    .replace(
      /^( *)- name: sluice_control_plane$/m,
      '$&\n$1  upstream_bind_config: { source_address: { address: "127.0.0.2", port_value: 0 } }',
    );

/** An installation whose Envoys "gw" and "gw-copy", which are not started, both say that they are "gw". */
export const useTwoOfOneNodeId = (policy: PolicyDocument): (() => Installation) =>
  useInstallation({
    policy,
    edges: ["gw", "gw-copy"],
    startEdges: false,
    bootstrap: (yaml) => (/id: gw-copy$/m.test(yaml) ? likeTheFirst(yaml) : yaml),
  });
