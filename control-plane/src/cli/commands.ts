// The table of commands, in the order in which the help shows them.
import type { Command } from "./command.js";
import { completionOf } from "./commands/completion/completion-command.js";
import { config } from "./commands/config-command.js";
import { doctor } from "./commands/doctor/doctor-command.js";
import { list } from "./commands/list-command.js";
import { policyConfirm, policyStatus } from "./commands/held-policy-commands.js";
import { policyCheck } from "./commands/policy-command.js";
import { renderEnvoy } from "./commands/render/render-envoy.js";
import { renderGateway } from "./commands/render/render-gateway.js";
import { renderIstio } from "./commands/render/render-istio.js";
import { renderKubernetes } from "./commands/render/render-kubernetes.js";
import { renderEcdsFile, renderSettings } from "./commands/render/render-settings.js";
import { renderWasmPlugin } from "./commands/render/render-wasmplugin.js";
import { revoke } from "./commands/revoke-command.js";
import { secretHash, secretNew } from "./commands/secret-commands.js";
import { changePlan, consume, create, show, token } from "./commands/session-commands.js";
import { edges } from "./commands/edges-command.js";
import { audit, bucket, usage } from "./commands/status-commands.js";
import { tokenInspect } from "./commands/token-command.js";
import { storeBackup, storeCopy, storeInit, storeRestore } from "./commands/store-commands.js";
import { top } from "./commands/top-command.js";

export const COMMANDS: readonly Command[] = [
  create,
  show,
  list,
  revoke,
  changePlan,
  token,
  consume,
  usage,
  bucket,
  top,
  edges,
  audit,
  doctor,
  policyCheck,
  policyStatus,
  policyConfirm,
  secretNew,
  secretHash,
  tokenInspect,
  storeBackup,
  storeRestore,
  storeCopy,
  storeInit,
  renderSettings,
  renderWasmPlugin,
  renderEcdsFile,
  renderEnvoy,
  renderKubernetes,
  renderIstio,
  renderGateway,
  config,
  completionOf(() => COMMANDS),
];
