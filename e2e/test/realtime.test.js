// @upstash/realtime: a stream for the history, a channel for what is new.
import assert from "node:assert/strict";
import { test } from "node:test";
import { handle, Realtime } from "@upstash/realtime";
import { z } from "zod";
import { connect, Gathered, prefix, within } from "./env.js";

// The SDK's pings, every minute, go on after a subscription has ended. They are
// not to keep this process.
const { setInterval } = globalThis;
globalThis.setInterval = (...args) => setInterval(...args).unref();

const realtime = new Realtime({
  schema: { chat: { message: z.object({ text: z.string() }) }, alert: z.string() },
  redis: connect(),
  history: { maxLength: 100, expireAfterSecs: 600 },
  maxDurationSecs: 12,
});
const texts = (events) => events.map((e) => e.data.text ?? e.data);

test("what was and what comes", async () => {
  const channel = realtime.channel(`${prefix}room`);
  await channel.emit("chat.message", { text: "before" });
  await channel.emit("alert", "for nobody here");
  const got = new Gathered();
  const stop = await within(
    channel.subscribe({ events: ["chat.message"], history: true, onData: (event) => got.push(event) }),
    "the subscription",
  );
  await channel.emit("chat.message", { text: "after 🥊" });
  assert.deepEqual(texts(await got.until(2, "the events")), ["before", "after 🥊"]);
  const [first] = await got.until(1, "the first event");
  await stop();

  const resumed = new Gathered();
  const stopAgain = await within(
    channel.subscribe({ events: ["chat.message", "alert"], after: first.cursor, onData: (e) => resumed.push(e) }),
    "the second subscription",
  );
  assert.deepEqual(texts(await resumed.until(2, "what came after the first")), ["for nobody here", "after 🥊"]);
  await stopAgain();
  assert.equal((await channel.history()).length, 3);
  assert.equal((await channel.history({ limit: 1 })).length, 1);
});

test("what does not fit the schema is not sent", async () => {
  const channel = realtime.channel(`${prefix}strict`);
  await assert.rejects(channel.emit("alert", 12));
  assert.deepEqual(await channel.history(), []);
});

test("the handler streams to browsers", async () => {
  const name = `${prefix}browser`;
  await realtime.channel(name).emit("alert", "earlier");
  const stop = new AbortController();
  const res = await handle({ realtime })(
    new Request(`http://localhost/api/realtime?channel=${name}&last_ack_${name}=0`, { signal: stop.signal }),
  );
  assert.equal(res.headers.get("content-type"), "text/event-stream");
  const alerts = (async () => {
    const found = [];
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of res.body) {
      text += decoder.decode(chunk, { stream: true });
      const events = text.split("\n\n");
      text = events.pop();
      for (const e of events) {
        const event = JSON.parse(e.replace(/^data: /, ""));
        if (event.event !== "alert") continue;
        found.push(event.data);
        if (found.length === 1) await realtime.channel(name).emit("alert", "now");
        if (found.length === 2) return found;
      }
    }
    return found;
  })();
  assert.deepEqual(await within(alerts, "both alerts"), ["earlier", "now"]);
  stop.abort();
});
