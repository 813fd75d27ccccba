// @upstash/redis: subscriptions over server-sent events.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, Gathered, listening, prefix, token, url, within } from "./env.js";

const redis = connect();
const k = (name) => prefix + name;

test("messages of every kind arrive, in order", async () => {
  const channel = k("values");
  const values = ["text", 12, true, { a: [1, "ключ 🥊"] }, ["x"], "with \"quotes\", commas\\ and ,", ""];
  const sub = redis.subscribe(channel);
  const got = new Gathered();
  sub.on("message", (event) => got.push(event));
  await listening(sub);
  for (const v of values) assert.equal(await redis.publish(channel, v), 1);
  const events = await got.until(values.length, "the messages");
  assert.deepEqual(events.map((e) => e.message), values);
  assert.ok(events.every((e) => e.channel === channel));
  await sub.unsubscribe();
});

test("several channels, and leaving one of them", async () => {
  const [a, b] = [k("a"), k("b")];
  const sub = redis.subscribe([a, b]);
  const counts = new Gathered();
  sub.on("subscribe", (count) => counts.push(count));
  const ofA = new Gathered();
  const ofB = new Gathered();
  sub.on(`message:${a}`, ({ message }) => ofA.push(message));
  sub.on(`message:${b}`, ({ message }) => ofB.push(message));
  await counts.until(2, "both subscriptions");
  await redis.publish(a, "to a");
  await redis.publish(b, "to b");
  assert.deepEqual(await ofA.until(1, "a"), ["to a"]);
  assert.deepEqual(await ofB.until(1, "b"), ["to b"]);
  assert.deepEqual(sub.getSubscribedChannels().sort(), [a, b].sort());
  await sub.unsubscribe([a]);
  await redis.publish(a, "to nobody");
  await redis.publish(b, "to b again");
  assert.deepEqual(await ofB.until(2, "b"), ["to b", "to b again"]);
  assert.deepEqual(await ofA.until(1, "a"), ["to a"]);
  await sub.unsubscribe();
});

test("patterns", async () => {
  const pattern = k("p:*");
  const sub = redis.psubscribe(pattern);
  const got = new Gathered();
  sub.on("pmessage", (event) => got.push(event));
  await listening(sub, "psubscribe");
  await redis.publish(k("other"), "not for it");
  await redis.publish(k("p:1"), { n: 1 });
  const [event] = await got.until(1, "the message");
  assert.deepEqual(event, { pattern, channel: k("p:1"), message: { n: 1 } });
  await sub.unsubscribe();
});

test("many subscribers of one channel", async () => {
  const channel = k("many");
  const subs = Array.from({ length: 25 }, () => redis.subscribe(channel));
  const got = new Gathered();
  await Promise.all(subs.map((sub) => (sub.on("message", ({ message }) => got.push(message)), listening(sub))));
  await redis.publish(channel, "all");
  assert.deepEqual(await got.until(25, "the message, once for each"), Array(25).fill("all"));
  await Promise.all(subs.map((sub) => sub.unsubscribe()));
});

test("monitor shows commands", async () => {
  const stop = new AbortController();
  const res = await within(
    fetch(`${url}/monitor`, {
      headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
      signal: stop.signal,
    }),
    "the stream",
  );
  assert.equal(res.status, 200);
  assert.match(res.headers.get("content-type"), /^text\/event-stream/);
  const seen = (async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of res.body) {
      text += decoder.decode(chunk, { stream: true });
      // The first line says that it has begun; then there is something to see.
      if (!text.includes(k("watched")) && /OK/.test(text)) await redis.set(k("watched"), 1);
      if (text.includes(k("watched"))) return true;
    }
    return false;
  })();
  assert.equal(await within(seen, "the command"), true);
  stop.abort();
});

test("a wrong token is told so", async () => {
  const sub = connect({ token: "wrong", retry: false }).subscribe(k("a"));
  const err = await within(new Promise((resolve) => sub.on("error", resolve)), "the error");
  assert.match(String(err), /401|WRONGPASS|[Uu]nauthorized/);
  await sub.unsubscribe();
});
