// The table of commands, in the order in which the help shows them.
import type { Command } from "./command.js";
import { list } from "./list-command.js";
import { policyCheck } from "./policy-command.js";
import { renderEnvoy } from "./render-envoy.js";
import { renderEcdsFile, renderSettings } from "./render-settings.js";
import { renderWasmPlugin } from "./render-wasmplugin.js";
import { revoke } from "./revoke-command.js";
import { consume, create, move, show, token } from "./session-commands.js";
import { edges } from "./edges-command.js";
import { audit, bucket, usage } from "./status-commands.js";
import { top } from "./top-command.js";

export const COMMANDS: readonly Command[] = [
  create,
  show,
  list,
  revoke,
  move,
  token,
  consume,
  usage,
  bucket,
  top,
  edges,
  audit,
  policyCheck,
  renderSettings,
  renderWasmPlugin,
  renderEcdsFile,
  renderEnvoy,
];
