// Edge settings as the filter uses them: what stands in Envoy. Each default stands here and nowhere else.
import { Policy } from "./model";

export class EdgeSettings {
  /** The Envoy cluster that leads to the control plane. */
  cluster: string = "sluice_control_plane";
  tableName: string = "default";
  /** Records; a power of two. */
  tableCapacity: u32 = 65536;
  /** Whether the control plane's policy is served as soon as it is there. */
  follow: bool = true;
  /** Holds until then; for good where nothing is followed. */
  policy: Policy | null = null;
}
