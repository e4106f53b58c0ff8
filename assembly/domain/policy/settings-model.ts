// The edge settings as the filter uses them: plain fields, with each default standing here and nowhere else.
// To add a field: declare it with a default here, validate it in settings.ts, print it in print.ts.
import { Policy } from "./model";

/** What an edge must know before it can ask anyone: the plugin configuration in Envoy. */
export class EdgeSettings {
  /** The Envoy cluster that leads to the control plane. */
  cluster: string = "sluice_control_plane";
  tableName: string = "default";
  /** Records; a power of two. */
  tableCapacity: u32 = 65536;
  /** Whether the control plane's policy is taken. Where it is not, there is a `policy`. */
  follow: bool = true;
  /** In force until the control plane's is there, or for good where it is not followed. */
  policy: Policy | null = null;
}
