// How sessions are shown: one as fields, many as a table.
import type { Session, TokenAnswer } from "../client/answers.js";
import type { Invocation } from "../command.js";
import { timeText } from "../terminal/output.js";
import type { Cell, Colour, Column, Output } from "../terminal/output.js";

const COLOUR_OF_STATE: Readonly<Record<string, Colour>> = { live: "green", revoked: "red", expired: "yellow" };

function stateCell(state: string): Cell {
  const colour = COLOUR_OF_STATE[state];
  return colour === undefined ? state : { text: state, colour };
}

export const SESSION_COLUMNS: readonly Column<Session>[] = [
  { title: "ID", of: ({ id }) => id },
  { title: "STATE", of: ({ state }) => stateCell(state) },
  { title: "USER", shrinks: true, of: ({ userId }) => userId },
  { title: "ORG", shrinks: true, of: ({ orgId }) => orgId },
  { title: "ISSUER", shrinks: true, spare: true, of: ({ issuer }) => issuer ?? "" },
  { title: "PLAN", shrinks: true, of: ({ plan }) => plan },
  { title: "CONSUMED", right: true, spare: true, of: ({ tokens }) => tokens.consumed },
  { title: "ISSUED", right: true, spare: true, of: ({ tokens }) => tokens.issued },
  { title: "LAST ACTIVITY", spare: true, of: ({ lastActivity }) => timeText(lastActivity) },
  { title: "ENDS", spare: true, of: ({ endsAt }) => timeText(endsAt) },
];

export function showSession(session: Session, output: Output): void {
  output.fields(sessionFields(session));
}

/** The token alone, as JSON, or below its session: the one secret that is ever printed, because it was asked for. */
export function showToken(answer: TokenAnswer, { output, flag }: Invocation): void {
  if (flag("token-only")) output.line(answer.token);
  else if (output.json) output.document(answer);
  else output.fields([...sessionFields(answer.session), ["token", answer.token]]);
}

function sessionFields(session: Session): [string, Cell][] {
  const { userAgent, ip, route } = session.metadata;
  const revoked: [string, Cell][] = session.revokedAt === null ? [] : [["revoked", timeText(session.revokedAt)]];
  const known = Object.entries({ ip, route, "user agent": userAgent });
  return [
    ["id", session.id],
    ["state", stateCell(session.state)],
    ["user", session.userId],
    ["org", session.orgId],
    ...(session.issuer === null ? [] : [["issued by", session.issuer] satisfies [string, Cell]]),
    ["plan", session.plan],
    ["created", timeText(session.createdAt)],
    ["last activity", timeText(session.lastActivity)],
    ["ends", timeText(session.endsAt)],
    ...revoked,
    ["consumed", consumedText(session)],
    ...known.flatMap(([name, value]): [string, Cell][] => (value === null ? [] : [[name, value]])),
  ];
}

/** Without a budget there is nothing that it is a part of: a bucket refills. */
function consumedText({ tokens: { consumed, budget } }: Session): string {
  return budget === null ? `${consumed} tokens` : `${consumed} of ${budget} tokens`;
}
