// What a test may want otherwise in its installation.
import type { EdgeSettings } from "../../../control-plane/src/render/edge-settings.js";
import type { ClientTls } from "./control-plane-client.js";
import type { PolicyDocument } from "./policy.js";

export interface InstallationOptions {
  readonly policy: PolicyDocument;
  /** Names of the Envoys, as the control plane knows them; one if not given. */
  readonly edges?: readonly string[];
  /** Also in the Envoys' settings, where it holds until the control plane's is there; not given: they have none. */
  readonly settingsPolicy?: PolicyDocument;
  /** Changes the settings that the Envoys get, as another program may have written them. */
  readonly settings?: (settings: EdgeSettings) => EdgeSettings;
  /** false: by their settings the Envoys run `settingsPolicy` for good. */
  readonly follow?: boolean;
  /** Sessions that the table has room for. */
  readonly tableCapacity?: number;
  /** false: nothing listens where Envoy looks for the control plane, until a test starts it. Wants `settingsPolicy`. */
  readonly controlPlane?: boolean;
  /** Changes the bootstrap that Envoy is started with, given as YAML. */
  readonly bootstrap?: (yaml: string) => string;
  /** What listens on the upstream's port in place of the recording service; returns how to stop it. */
  readonly upstream?: (port: number) => Promise<() => void>;
  /** More of the control plane's environment. */
  readonly controlPlaneEnv?: Readonly<Record<string, string>>;
  /** Which build of the filter the Envoys start with; not given: the full one. */
  readonly filter?: "sluice" | "sluice-lean" | "sluice-settle";
  /** A filter that the test has built, in place of `filter`. */
  readonly filterPath?: string;
  /** false: an Envoy counts as started once it listens, whether it serves a policy or not. */
  readonly awaitPolicy?: boolean;
  /** false: a test starts the Envoys. */
  readonly startEdges?: boolean;
  /** Whether the Envoys follow a file for the filter, which `replaceFilter` replaces. */
  readonly followedFilter?: boolean;
  /** How the tests speak to the control plane; not given: plain text. */
  readonly tls?: ClientTls;
}
