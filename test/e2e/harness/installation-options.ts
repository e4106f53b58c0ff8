// What a test may want otherwise in its installation.
import type { ClientTls } from "./control-plane-client.js";
import type { PolicyDocument } from "./policy.js";

export interface InstallationOptions {
  readonly policy: PolicyDocument;
  /** Names of the Envoys, as the control plane knows them; one if not given. */
  readonly edges?: readonly string[];
  /** Also in the Envoys' settings, where it holds until the control plane's is there; not given: they have none. */
  readonly settingsPolicy?: PolicyDocument;
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
  readonly filter?: "sluice" | "sluice-lean";
  /** Whether the Envoys follow a file for the filter, which `replaceFilter` replaces. */
  readonly followedFilter?: boolean;
  /** How the tests speak to the control plane; not given: plain text. */
  readonly tls?: ClientTls;
}
