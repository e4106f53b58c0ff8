// Shows in Envoy's log and gauges what is in force in this VM: an operator sees it without a control plane.
import { POLICY_HASH_CHARS } from "../../contract";
import { OPEN_STREAMS_CLOSE, RESPONSE_HEADERS_NONE } from "../../domain/policy/model";
import { logInfo, logWarn } from "../../host/log";
import { writeHexU64 } from "../../memory/bytes";
import { Epoch } from "../state/epoch";
import { BUILD_LEAN, isBuild } from "../vm/build-kind";
import { gaugeNamed, setTo } from "../vm/metrics";
import { runningCapacity } from "../table/session-table";
import { Table } from "../state/table";

const digits: usize = memory.data(16);

export function announceEpoch(epoch: Epoch): void {
  setTo(gaugeNamed("sluice_policy_generation"), epoch.generation);
  if (epoch.isNone) {
    logInfo("no policy yet: requests wait for the control plane's");
    return;
  }
  writeHexU64(digits, epoch.hash);
  const hash = String.UTF8.decodeUnsafe(digits, POLICY_HASH_CHARS);
  const numbered = epoch.generation == 0 ? "" : ` generation ${epoch.generation},`;
  logInfo(`serving the policy of the ${epoch.sourceWord},${numbered} hash ${hash}, ${epoch.policy.plans.length} plans`);
  if (!isBuild(BUILD_LEAN)) return;
  // It serves a policy that asks for what only further callbacks could do, and logs that it is not done.
  if (epoch.policy.responseHeaders != RESPONSE_HEADERS_NONE) {
    logWarn("response.headers: none are added to what passes, since this is sluice-lean.wasm; sluice.wasm adds them");
  }
  if (epoch.policy.openStreams == OPEN_STREAMS_CLOSE) {
    logWarn(
      "sessions.openStreams: open streams outlive their session, since this is sluice-lean.wasm; sluice.wasm ends them",
    );
  }
}

/** A capacity other than the running one waits for Envoy's next start. */
export function announceTable(table: Table): void {
  const running = runningCapacity(table);
  const capacity = running == 0 ? table.capacity : running;
  setTo(gaugeNamed("sluice_table_capacity"), capacity);
  if (capacity != table.capacity) {
    logWarn(`table.capacity: ${table.capacity} takes effect when Envoy restarts, until then ${capacity}`);
  }
}
