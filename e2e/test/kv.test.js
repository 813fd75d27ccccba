// @vercel/kv, which brings an older @upstash/redis along.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, kv } from "@vercel/kv";
import { prefix, token, url } from "./env.js";

test("the client of the environment", async () => {
  const key = `${prefix}user`;
  assert.equal(await kv.set(key, { name: "Ada" }, { ex: 60 }), "OK");
  assert.deepEqual(await kv.get(key), { name: "Ada" });
  assert.equal(await kv.hset(`${prefix}h`, { a: 1, b: "two" }), 2);
  assert.deepEqual(await kv.hgetall(`${prefix}h`), { a: 1, b: "two" });
  assert.equal(await kv.zadd(`${prefix}z`, { score: 1, member: "m" }), 1);
  assert.deepEqual(await kv.multi().incr(`${prefix}n`).incr(`${prefix}n`).exec(), [1, 2]);
  const found = [];
  for await (const k of kv.scanIterator({ match: `${prefix}*` })) found.push(k);
  assert.deepEqual(found.sort(), ["h", "n", "user", "z"].map((n) => prefix + n));
});

test("a client of one's own", async () => {
  const own = createClient({ url, token, automaticDeserialization: false });
  await own.set(`${prefix}own`, { a: 1 });
  assert.equal(await own.get(`${prefix}own`), '{"a":1}');
  assert.deepEqual(await own.pipeline().get(`${prefix}own`).del(`${prefix}own`).exec(), ['{"a":1}', 1]);
});
