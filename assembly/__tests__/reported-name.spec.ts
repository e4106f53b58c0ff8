// What a counter is called in a report.
import { reportedName } from "../domain/edge/reported-name";

describe("the name of a counter in a report", () => {
  test("a counter's labels stand behind its name, and nothing that all names share", () => {
    expect(reportedName("sluice_cas_retries_total")).toBe("cas_retries");
    expect(reportedName("sluice_requests_total.outcome=.=missing;.;")).toBe("requests.outcome=missing");
    expect(reportedName("sluice_requests_total.outcome=.=limited;.;plan=.=gold;.;limit=.=per-day;.;")).toBe(
      "requests.outcome=limited.plan=gold.limit=per-day",
    );
  });
});
