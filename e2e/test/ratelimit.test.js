// @upstash/ratelimit: every algorithm. Windows are so long that no test sees the
// end of one, except where it waits for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ratelimit } from "@upstash/ratelimit";
import { connect, prefix } from "./env.js";

const redis = connect();
const long = "1000 d";

// limited makes a limiter that does not fail open when the server is slow, and
// that remembers nothing in the process.
const limited = (name, limiter, options = {}) =>
  new Ratelimit({ redis, limiter, prefix: prefix + name, ephemeralCache: false, timeout: 0, ...options });

const outcomes = async (limit, id, times) => {
  const all = [];
  for (let i = 0; i < times; i++) all.push(await limit.limit(id));
  return all.map((r) => [r.success, r.remaining]);
};

for (const [name, limiter] of [
  ["fixedWindow", Ratelimit.fixedWindow(3, long)],
  ["slidingWindow", Ratelimit.slidingWindow(3, long)],
  ["tokenBucket", Ratelimit.tokenBucket(1, long, 3)],
]) {
  test(`${name}: three, and no more`, async () => {
    const limit = limited(name, limiter);
    assert.deepEqual(await outcomes(limit, "a", 4), [[true, 2], [true, 1], [true, 0], [false, 0]]);
    assert.equal((await limit.limit("b")).success, true, "another identifier has its own");
    const left = await limit.getRemaining("b");
    assert.equal(left.remaining, 2);
    assert.equal(left.limit, 3);
    assert.ok(left.reset > Date.now());
    await limit.resetUsedTokens("a");
    assert.equal((await limit.getRemaining("a")).remaining, 3);
    assert.deepEqual(await outcomes(limit, "a", 1), [[true, 2]]);
  });

  test(`${name}: concurrent requests do not pass the limit`, async () => {
    const limit = limited(`${name}:concurrent`, limiter);
    const all = await Promise.all(Array.from({ length: 30 }, () => limit.limit("a")));
    assert.equal(all.filter((r) => r.success).length, 3);
  });

  test(`${name}: a request may weigh more`, async () => {
    const limit = limited(`${name}:rate`, limiter);
    assert.deepEqual([(await limit.limit("a", { rate: 2 })).success, (await limit.limit("a", { rate: 2 })).success], [true, false]);
  });

  test(`${name}: the limit can be changed at run time`, async () => {
    const limit = limited(`${name}:dynamic`, limiter, { dynamicLimits: true });
    assert.deepEqual(await limit.getDynamicLimit(), { dynamicLimit: null });
    await limit.setDynamicLimit({ limit: 1 });
    assert.deepEqual(await limit.getDynamicLimit(), { dynamicLimit: 1 });
    const [first, second] = [await limit.limit("a"), await limit.limit("a")];
    assert.deepEqual([first.success, first.limit, second.success], [true, 1, false]);
    await limit.setDynamicLimit({ limit: false });
    assert.deepEqual(await limit.getDynamicLimit(), { dynamicLimit: null });
    const other = await limit.limit("b");
    assert.deepEqual([other.success, other.limit], [true, 3]);
  });
}

test("cachedFixedWindow counts in the process first", async () => {
  const limit = limited("cached", Ratelimit.cachedFixedWindow(3, long), { ephemeralCache: new Map() });
  const all = [];
  for (let i = 0; i < 5; i++) {
    const r = await limit.limit("a");
    await r.pending;
    all.push(r.success);
  }
  assert.deepEqual(all, [true, true, true, false, false]);
});

test("who is blocked is remembered without asking again", async () => {
  const cache = new Map();
  const limit = limited("ephemeral", Ratelimit.fixedWindow(1, long), { ephemeralCache: cache });
  assert.deepEqual([(await limit.limit("a")).success, (await limit.limit("a")).success], [true, false]);
  assert.equal(cache.size, 1);
  assert.equal((await limit.limit("a")).reason, "cacheBlock");
});

test("blockUntilReady waits for the next window, or gives up", async () => {
  const soon = limited("block", Ratelimit.fixedWindow(1, "1 s"));
  await soon.limit("a");
  assert.equal((await soon.blockUntilReady("a", 30_000)).success, true);
  const never = limited("block:long", Ratelimit.fixedWindow(1, long));
  await never.limit("a");
  assert.equal((await never.blockUntilReady("a", 50)).success, false);
});

test("a token bucket refills", async () => {
  const limit = limited("refill", Ratelimit.tokenBucket(5, "1 s", 5));
  for (let i = 0; i < 5; i++) await limit.limit("a");
  assert.equal((await limit.blockUntilReady("a", 30_000)).success, true);
});

test("analytics", async () => {
  const limit = limited("analytics", Ratelimit.fixedWindow(2, long), { analytics: true });
  for (let i = 0; i < 5; i++) await (await limit.limit("visitor")).pending;
  const keys = await redis.keys(`${prefix}analytics:events:*`);
  assert.ok(keys.length >= 1, "the events are stored");
  const counts = {};
  for (const key of keys) {
    const members = await redis.zrange(key, 0, -1, { withScores: true });
    for (let i = 0; i < members.length; i += 2) {
      assert.equal(members[i].identifier, "visitor");
      counts[members[i].success] = (counts[members[i].success] ?? 0) + members[i + 1];
    }
  }
  assert.deepEqual(counts, { true: 2, false: 3 });
  const usage = await limit.analytics.getUsage(Date.now() - 2 * 60 * 60 * 1000);
  assert.deepEqual(usage, { visitor: { success: 2, blocked: 3 } });
  const top = await limit.analytics.getMostAllowedBlocked(2, 5);
  assert.deepEqual(top.allowed, [{ identifier: "visitor", count: 2 }]);
  assert.deepEqual(top.ratelimited, [{ identifier: "visitor", count: 3 }]);
});

test("the deny list", async () => {
  // The status says that the list of addresses is not to be fetched from the Internet.
  await redis.set(`${prefix}deny:ipDenyListStatus`, "disabled");
  const list = `${prefix}deny:denyList:all`;
  await redis.sadd(list, "bad-id", "203.0.113.7", "bad agent", "XX");
  const limit = limited("deny", Ratelimit.fixedWindow(100, long), { enableProtection: true });
  for (const [id, request, value] of [
    ["bad-id", {}, "bad-id"],
    ["good-1", { ip: "203.0.113.7" }, "203.0.113.7"],
    ["good-2", { userAgent: "bad agent" }, "bad agent"],
    ["good-3", { country: "XX" }, "XX"],
    ["good-4", { ip: "203.0.113.8", userAgent: "good", country: "YY" }, undefined],
  ]) {
    const r = await limit.limit(id, request);
    await r.pending;
    assert.deepEqual([r.success, r.deniedValue], [value === undefined, value], id);
  }
  // The transaction with which the SDK replaces the list of addresses.
  const tx = redis.multi();
  tx.sdiffstore(list, list, `${prefix}deny:ips`);
  tx.del(`${prefix}deny:ips`);
  tx.sadd(`${prefix}deny:ips`, "198.51.100.1", "198.51.100.2");
  tx.sdiffstore(`${prefix}deny:ips`, `${prefix}deny:ips`, list);
  tx.sunionstore(list, list, `${prefix}deny:ips`);
  tx.set(`${prefix}deny:status`, "valid", { px: 60_000 });
  assert.deepEqual(await tx.exec(), [4, 0, 2, 2, 6, "OK"]);
});
