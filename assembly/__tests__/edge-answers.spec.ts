// The control plane's answers are read strictly: a wrong value makes the whole answer invalid.
import { ANSWER_UNAVAILABLE, readAcquireAnswers } from "../domain/edge/acquire-answer";
import { readReportAnswer, readWatchAnswer } from "../domain/edge/edge-answers";

const LOG = '"log":"00ff00000000a1b2"';

describe("the control plane's answer to a watch", () => {
  test("a watch's answer names the invalidated sessions and the log cursor", () => {
    const answer = readWatchAnswer(`{${LOG},"cursor":42,"revoked":["a","b"],"refresh":["c"],"later":1}`);
    if (answer === null) throw new Error("no answer");
    expect(answer.log).toBe(0x00ff00000000a1b2);
    expect(answer.cursor).toBe(42);
    expect(answer.reset).toBe(false);
    expect(answer.revoked.join()).toBe("a,b");
    expect(answer.refresh.join()).toBe("c");
  });

  test("a watch's answer may ask the edge to begin anew", () => {
    const answer = readWatchAnswer(`{"reset":true,${LOG},"cursor":900}`);
    if (answer === null) throw new Error("no answer");
    expect(answer.reset).toBe(true);
    expect(answer.cursor).toBe(900);
    expect(answer.revoked.length + answer.refresh.length).toBe(0);
  });

  test("a watch's answer with any wrong value is rejected as a whole", () => {
    expect(readWatchAnswer("") === null).toBe(true);
    expect(readWatchAnswer("[]") === null).toBe(true);
    expect(readWatchAnswer(`{${LOG}}`) === null).toBe(true);
    expect(readWatchAnswer(`{${LOG},"cursor":-1}`) === null).toBe(true);
    expect(readWatchAnswer(`{${LOG},"cursor":1,"revoked":"a"}`) === null).toBe(true);
    expect(readWatchAnswer(`{${LOG},"cursor":1,"refresh":[1]}`) === null).toBe(true);
    expect(readWatchAnswer(`{"cursor":1}`) === null).toBe(true);
  });

  test("a watch's answer with more sessions than the limit is rejected", () => {
    const ids = '"x",'.repeat(1000);
    expect(readWatchAnswer(`{${LOG},"cursor":1,"revoked":[${ids}"x"]}`) === null).toBe(true);
    expect(readWatchAnswer(`{${LOG},"cursor":1,"revoked":[${ids.slice(0, -1)}]}`) === null).toBe(false);
  });
});

describe("the id of an invalidation log", () => {
  test("a log's id is 16 lower-case hex digits that are not all 0", () => {
    expect(readReportAnswer(`{"log":"0000000000000000"}`) === null).toBe(true);
    expect(readReportAnswer(`{"log":"00FF00000000A1B2"}`) === null).toBe(true);
    expect(readReportAnswer(`{"log":"00ff00000000a1b"}`) === null).toBe(true);
    expect(readReportAnswer(`{"log":"00ff00000000a1b2c"}`) === null).toBe(true);
    expect(readReportAnswer(`{"log":"00ff00000000a1bg"}`) === null).toBe(true);
    expect(readReportAnswer(`{"log":1}`) === null).toBe(true);
    expect(readReportAnswer(`{${LOG}}`) === null).toBe(false);
  });
});

describe("the control plane's answer to an acquire", () => {
  test("an acquire's answer for an ended session carries what this instance had reported", () => {
    const answers = readAcquireAnswers(`{"state":"revoked","endsInMs":5,"consumed":9,"rev":3,${LOG},"cursor":1}`);
    expect(answers.length).toBe(1);
    expect(answers[0].consumed).toBe(9);
    expect(answers[0].rev).toBe(3);
  });

  test("an acquire's answer for an ended session may leave out the reported figures", () => {
    const answers = readAcquireAnswers(`{"state":"expired","endsInMs":5,${LOG},"cursor":1}`);
    expect(answers.length).toBe(1);
    expect(answers[0].consumed).toBe(0);
    expect(answers[0].rev).toBe(0);
  });

  test("an acquire's answer without a log cursor is rejected, whatever the state", () => {
    expect(readAcquireAnswers(`{"state":"unknown","endsInMs":5,"cursor":1}`).length).toBe(0);
    expect(readAcquireAnswers(`{"state":"revoked","endsInMs":5,${LOG}}`).length).toBe(0);
  });

  test("an acquire's answer may say that the control plane cannot hold the session", () => {
    const answers = readAcquireAnswers(`{"state":"unavailable",${LOG},"cursor":1}`);
    expect(answers.length).toBe(1);
    expect(answers[0].state).toBe(ANSWER_UNAVAILABLE);
    expect(readAcquireAnswers(`{"state":"unavailable","cursor":1}`).length).toBe(0);
  });

  test("an acquire's answer about several sessions leaves out those that it does not name rightly", () => {
    const unknown = `"state":"unknown",${LOG},"cursor":1`;
    const named = `{"session":"0192f0c1-7e4a-7abc-8def-0123456789ab",${unknown}}`;
    const others = `[{${unknown}},{"session":"x",${unknown}},7,${named},{"session":1}]`;
    expect(readAcquireAnswers(`{${unknown},"others":${others}}`).length).toBe(2);
    expect(readAcquireAnswers(`{${unknown},"others":{}}`).length).toBe(1);
    expect(readAcquireAnswers("[]").length).toBe(0);
    expect(readAcquireAnswers("7").length).toBe(0);
  });
});
