import { expect, test } from "vitest";
import { CommandDesk, mayUndo, replyTopic, uuid7 } from "../src/commands";

const answer = (request: string, ok: boolean, text = "") => ({ request, ok, text });

test("a command says who asks, what, and where the answer goes", () => {
  const desk = new CommandDesk("page-7");
  const sent = desk.ask("prescribe", { athlete: "a1", repetitions: 8, tempo: "5-0-X-0" }, 50, 1_700_000_000_123.4);
  expect(sent.topic).toBe("svc/bridge/cmd/prescribe");
  const message = JSON.parse(sent.text);
  expect(message).toMatchObject({ v: 1, id: sent.request, ts: "2023-11-14T22:13:20.123Z", seq: 0 });
  expect(message.data).toEqual({
    request: sent.request,
    reply_to: "page-7",
    arguments: { athlete: "a1", repetitions: 8, tempo: "5-0-X-0" },
  });
  expect(replyTopic(desk.replyTo)).toBe("svc/bridge/rsp/page-7");
});

test("nothing is done before the bridge says so", () => {
  let changes = 0;
  const desk = new CommandDesk("page-7", () => (changes += 1));
  const { request } = desk.ask("start-set", { athlete: "a1" }, 0);
  desk.settle(answer("another page's", true));
  desk.expire(9_999);
  expect(desk.asked[0]).toMatchObject({ outcome: "pending", athlete: "a1", text: "" });
  expect(changes).toBe(1);
  desk.settle(answer(request, false, "a set is running already: end it first"));
  expect(desk.asked[0]).toMatchObject({ outcome: "refused", text: "a set is running already: end it first" });
});

test("silence is told as silence, and a late answer still counts", () => {
  const desk = new CommandDesk("page-7");
  const { request } = desk.ask("re-zero", { athlete: "a1" }, 1_000);
  desk.expire(11_000);
  expect(desk.asked[0]?.outcome).toBe("unanswered");
  desk.settle(answer(request, true, "stand still for two seconds"));
  desk.expire(99_000);
  expect(desk.asked[0]).toMatchObject({ outcome: "done", text: "stand still for two seconds" });
});

test("what never left the page is said to be unsent", () => {
  const desk = new CommandDesk("page-7");
  const { request } = desk.ask("identify", { sensor: "s1" }, 0);
  desk.giveUp(request);
  expect(desk.asked[0]).toMatchObject({ outcome: "unsent", athlete: null });
});

test("an undo is offered once, and for what can be taken back only", () => {
  const desk = new CommandDesk("page-7");
  const note = desk.ask("note", { athlete: "a1", text: "left knee" }, 0);
  expect(mayUndo(desk.asked[0]!)).toBe(false);
  desk.settle(answer(note.request, true));
  expect(mayUndo(desk.asked[0]!)).toBe(true);
  const undo = desk.ask("undo", { athlete: "a1", request: note.request }, 1);
  desk.settle(answer(undo.request, false, "too late"));
  expect(mayUndo(desk.asked[1]!)).toBe(true);
  const again = desk.ask("undo", { athlete: "a1", request: note.request }, 2);
  desk.settle(answer(again.request, true));
  expect(desk.asked.find((entry) => entry.request === note.request)).toMatchObject({ undone: true });
  expect(desk.asked.some(mayUndo)).toBe(false);
  const identify = desk.ask("identify", { sensor: "s1" }, 3);
  desk.settle(answer(identify.request, true));
  expect(mayUndo(desk.asked[0]!)).toBe(false);
});

test("only the last hundred are kept", () => {
  const desk = new CommandDesk("page-7");
  for (let index = 0; index < 120; index += 1) desk.ask("note", { athlete: "a1", text: String(index) }, index);
  expect(desk.asked.length).toBe(100);
  expect(desk.asked[0]?.arguments).toMatchObject({ text: "119" });
});

test("ids are what the contract asks for", () => {
  const ids = new Set(Array.from({ length: 50 }, (_, index) => uuid7(1_700_000_000_000 + index)));
  expect(ids.size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect([...ids].sort()).toEqual([...ids]);
});
