// @upstash/redis: values, every type of data, pipelines, transactions, errors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "@upstash/redis";
import { connect, prefix, token, url } from "./env.js";

const redis = connect();
const k = (name) => prefix + name;

test("values come back as they were", async () => {
  const values = {
    text: "plain",
    empty: "",
    unicode: "Zwölf Boxkämpfer 🥊 日本語 \u0000 \u2028 \"quoted\" \\ ",
    number: 42,
    float: 0.1,
    negative: -7,
    large: Number.MAX_SAFE_INTEGER,
    yes: true,
    no: false,
    object: { nested: { list: [1, "two", null], "ключ": "значение" } },
    list: [1, "zwei", { three: 3 }],
    numeric: "007x",
  };
  for (const responseEncoding of ["base64", false]) {
    const client = connect({ responseEncoding });
    for (const [name, value] of Object.entries(values)) {
      assert.equal(await client.set(k(name), value), "OK");
      assert.deepEqual(await client.get(k(name)), value, `${name}, encoding ${responseEncoding}`);
    }
    const names = Object.keys(values);
    assert.deepEqual(await client.mget(names.map(k)), Object.values(values));
    assert.equal(await client.get(k("absent")), null);
  }
});

test("large values and many keys", async () => {
  const large = "ä".repeat(500_000);
  await redis.set(k("megabyte"), large);
  assert.equal(await redis.get(k("megabyte")), large);
  assert.equal(await redis.strlen(k("megabyte")), 1_000_000);
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [k(`many:${i}`), i]));
  await redis.mset(many);
  assert.deepEqual(await redis.mget(Object.keys(many)), Object.values(many));
  assert.equal(await redis.del(...Object.keys(many)), 2000);
});

test("bytes that are no text", async () => {
  // The SDK sends text; the REST API takes any bytes as the body.
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const key = encodeURIComponent(k("bytes"));
  const sent = await fetch(`${url}/set/${key}`, {
    method: "POST",
    body: bytes,
    headers: { authorization: `Bearer ${token}` },
  });
  assert.deepEqual(await sent.json(), { result: "OK" });
  const got = await fetch(`${url}/get/${key}`, {
    headers: { authorization: `Bearer ${token}`, "upstash-encoding": "base64" },
  });
  const { result } = await got.json();
  assert.deepEqual(Uint8Array.from(Buffer.from(result, "base64")), bytes);
});

test("automatic deserialization can be turned off", async () => {
  const raw = connect({ automaticDeserialization: false });
  await redis.set(k("raw"), { a: 1 });
  assert.equal(await raw.get(k("raw")), '{"a":1}');
  await redis.set(k("raw"), 12);
  assert.equal(await raw.get(k("raw")), "12");
});

test("strings", async () => {
  assert.equal(await redis.set(k("s"), "a", { nx: true, ex: 100 }), "OK");
  assert.equal(await redis.set(k("s"), "b", { nx: true }), null);
  assert.equal(await redis.set(k("s"), "b", { xx: true, get: true, keepTtl: true }), "a");
  const ttl = await redis.ttl(k("s"));
  assert.ok(ttl > 0 && ttl <= 100, `${ttl}`);
  assert.equal(await redis.persist(k("s")), 1);
  assert.equal(await redis.pttl(k("s")), -1);
  assert.equal(await redis.append(k("s"), "cd"), 3);
  assert.equal(await redis.getrange(k("s"), 1, 2), "cd");
  assert.equal(await redis.setrange(k("s"), 1, "XY"), 3);
  assert.equal(await redis.getset(k("s"), "new"), "bXY");
  assert.equal(await redis.getex(k("s"), { px: 100_000 }), "new");
  assert.equal(await redis.getdel(k("s")), "new");
  assert.equal(await redis.exists(k("s")), 0);
  assert.equal(await redis.incr(k("n")), 1);
  assert.equal(await redis.incrby(k("n"), 41), 42);
  assert.equal(await redis.decrby(k("n"), 2), 40);
  assert.equal(await redis.decr(k("n")), 39);
  assert.equal(await redis.incrbyfloat(k("n"), 0.5), 39.5);
  assert.equal(await redis.msetnx({ [k("m1")]: 1, [k("m2")]: 2 }), 1);
  assert.equal(await redis.msetnx({ [k("m2")]: 1, [k("m3")]: 2 }), 0);
  assert.equal(await redis.setbit(k("bits"), 7, 1), 0);
  assert.equal(await redis.getbit(k("bits"), 7), 1);
  assert.equal(await redis.bitcount(k("bits"), 0, -1), 1);
  assert.equal(await redis.copy(k("m1"), k("m4")), "COPIED");
  assert.equal(await redis.type(k("m4")), "string");
  assert.equal(await redis.rename(k("m4"), k("m5")), "OK");
  assert.equal(await redis.expireat(k("m5"), Math.ceil(Date.now() / 1000) + 100), 1);
});

test("hashes", async () => {
  assert.equal(await redis.hset(k("h"), { a: 1, b: "two", c: { d: [3] } }), 3);
  assert.equal(await redis.hsetnx(k("h"), "a", 2), 0);
  assert.equal(await redis.hget(k("h"), "a"), 1);
  assert.deepEqual(await redis.hgetall(k("h")), { a: 1, b: "two", c: { d: [3] } });
  assert.equal(await redis.hgetall(k("none")), null);
  assert.deepEqual(await redis.hmget(k("h"), "a", "c", "x"), { a: 1, c: { d: [3] }, x: null });
  assert.equal(await redis.hincrby(k("h"), "a", 4), 5);
  assert.equal(await redis.hincrbyfloat(k("h"), "a", 0.5), 5.5);
  assert.deepEqual((await redis.hkeys(k("h"))).sort(), ["a", "b", "c"]);
  assert.deepEqual(await redis.hvals(k("h")), [5.5, "two", { d: [3] }]);
  assert.equal(await redis.hlen(k("h")), 3);
  assert.equal(await redis.hexists(k("h"), "b"), 1);
  const [cursor, flat] = await redis.hscan(k("h"), 0, { match: "b*" });
  assert.deepEqual([cursor, flat], ["0", ["b", "two"]]);
  assert.ok(["a", "b", "c"].includes(await redis.hrandfield(k("h"))));
  assert.equal(await redis.hdel(k("h"), "a", "b", "x"), 2);
});

test("lists", async () => {
  assert.equal(await redis.rpush(k("l"), 1, "two", { three: 3 }), 3);
  assert.equal(await redis.lpush(k("l"), 0), 4);
  assert.deepEqual(await redis.lrange(k("l"), 0, -1), [0, 1, "two", { three: 3 }]);
  assert.equal(await redis.lindex(k("l"), 2), "two");
  assert.equal(await redis.lpos(k("l"), "two"), 2);
  assert.equal(await redis.linsert(k("l"), "before", "two", 1.5), 5);
  assert.equal(await redis.lset(k("l"), 0, "zero"), "OK");
  assert.equal(await redis.lrem(k("l"), 1, "two"), 1);
  assert.deepEqual(await redis.lmove(k("l"), k("l2"), "right", "left"), { three: 3 });
  assert.equal(await redis.lpop(k("l")), "zero");
  assert.deepEqual(await redis.rpop(k("l"), 2), [1.5, 1]);
  assert.equal(await redis.llen(k("l")), 0);
});

test("sets", async () => {
  assert.equal(await redis.sadd(k("s1"), "a", "b", 3), 3);
  assert.equal(await redis.sadd(k("s2"), "b", 3, "c"), 3);
  assert.deepEqual(new Set(await redis.smembers(k("s1"))), new Set(["a", "b", 3]));
  assert.deepEqual(new Set(await redis.sinter(k("s1"), k("s2"))), new Set(["b", 3]));
  assert.deepEqual(await redis.sdiff(k("s1"), k("s2")), ["a"]);
  assert.equal((await redis.sunion(k("s1"), k("s2"))).length, 4);
  assert.equal(await redis.sunionstore(k("s3"), k("s1"), k("s2")), 4);
  assert.equal(await redis.sismember(k("s1"), "a"), 1);
  assert.deepEqual(await redis.smismember(k("s1"), ["a", "x"]), [1, 0]);
  assert.equal(await redis.smove(k("s1"), k("s2"), "a"), 1);
  assert.equal(await redis.scard(k("s2")), 4);
  assert.equal(await redis.srem(k("s2"), "a", "c"), 2);
  assert.ok(["b", 3].includes(await redis.spop(k("s2"))));
});

test("sorted sets", async () => {
  const z = k("z");
  assert.equal(await redis.zadd(z, { score: 1, member: "one" }, { score: 2.5, member: { two: 2 } }, { score: -3, member: "three" }), 3);
  assert.equal(await redis.zadd(z, { nx: true }, { score: 9, member: "one" }), 0);
  assert.deepEqual(await redis.zrange(z, 0, -1), ["three", "one", { two: 2 }]);
  assert.deepEqual(await redis.zrange(z, 0, 1, { withScores: true }), ["three", -3, "one", 1]);
  assert.deepEqual(await redis.zrange(z, "-inf", 1, { byScore: true, offset: 0, count: 1 }), ["three"]);
  assert.deepEqual(await redis.zrange(z, 0, 0, { rev: true }), [{ two: 2 }]);
  assert.equal(await redis.zscore(z, "one"), 1);
  assert.deepEqual(await redis.zmscore(z, ["one", "x"]), [1, null]);
  assert.equal(await redis.zincrby(z, 10, "one"), 11);
  assert.equal(await redis.zrank(z, "one"), 2);
  assert.equal(await redis.zrevrank(z, "one"), 0);
  assert.equal(await redis.zcount(z, "(-3", "+inf"), 2);
  assert.equal(await redis.zunionstore(k("z2"), 1, [z], { weights: [2] }), 3);
  assert.deepEqual(await redis.zpopmax(k("z2")), ["one", 22]);
  assert.equal(await redis.zremrangebyscore(z, 11, 11), 1);
  assert.equal(await redis.zrem(z, "three"), 1);
  assert.equal(await redis.zcard(z), 1);
});

test("streams, HyperLogLog and geo", async () => {
  const x = k("x");
  assert.equal(await redis.xadd(x, "1-1", { a: 1, b: "two" }), "1-1");
  assert.equal(await redis.xadd(x, "1-2", { a: 2 }), "1-2");
  assert.deepEqual(await redis.xrange(x, "-", "+"), { "1-1": { a: 1, b: "two" }, "1-2": { a: 2 } });
  assert.equal(await redis.xlen(x), 2);
  assert.equal(await redis.xgroup(x, { type: "CREATE", group: "g", id: "0" }), "OK");
  const read = await redis.xreadgroup("g", "consumer", x, ">", { count: 1 });
  assert.deepEqual(read, [[x, [["1-1", ["a", 1, "b", "two"]]]]]);
  assert.equal(await redis.xack(x, "g", "1-1"), 1);
  assert.equal(await redis.xdel(x, "1-1"), 1);
  assert.equal(await redis.pfadd(k("pf"), "a", "b", "c"), 1);
  assert.equal(await redis.pfcount(k("pf")), 3);
  assert.equal(await redis.geoadd(k("geo"), { longitude: 13.361389, latitude: 38.115556, member: "Palermo" }, { longitude: 15.087269, latitude: 37.502669, member: "Catania" }), 2);
  assert.ok(Math.abs((await redis.geodist(k("geo"), "Palermo", "Catania", "KM")) - 166.27) < 0.1);
});

test("scan finds every key once it has gone round", async () => {
  const names = Array.from({ length: 250 }, (_, i) => k(`scan:${i}`));
  await redis.mset(Object.fromEntries(names.map((n) => [n, 1])));
  const found = new Set();
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, { match: `${prefix}scan:*`, count: 50 });
    keys.forEach((n) => found.add(n));
    cursor = next;
  } while (cursor !== "0");
  assert.deepEqual(found, new Set(names));
  assert.equal((await redis.keys(`${prefix}scan:*`)).length, 250);
  const withType = [];
  cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, { match: `${prefix}scan:1`, withType: true, count: 500 });
    withType.push(...keys);
    cursor = next;
  } while (cursor !== "0");
  assert.deepEqual(withType, [{ key: k("scan:1"), type: "string" }]);
});

test("pipelines", async () => {
  const p = redis.pipeline();
  p.set(k("p"), { a: 1 });
  p.get(k("p"));
  p.incr(k("pn"));
  p.hgetall(k("nothing"));
  assert.equal(p.length(), 4);
  assert.deepEqual(await p.exec(), ["OK", { a: 1 }, 1, null]);

  await assert.rejects(redis.pipeline().set(k("p"), "text").incr(k("p")).exec(), /not an int/);
  const kept = await redis.pipeline().incr(k("p")).get(k("p")).exec({ keepErrors: true });
  assert.match(kept[0].error, /not an int/);
  assert.deepEqual(kept[1], { error: undefined, result: "text" });

  const long = redis.pipeline();
  for (let i = 0; i < 5000; i++) long.set(k("long"), i);
  assert.equal((await long.exec()).length, 5000);
});

test("auto-pipelining", async () => {
  const auto = connect({ enableAutoPipelining: true });
  // Reads and writes go in requests of their own, side by side.
  const writes = await Promise.all([
    auto.set(k("auto"), "value"),
    auto.incr(k("auto:n")),
    auto.hset(k("auto:h"), { a: 1 }),
  ]);
  assert.deepEqual(writes, ["OK", 1, 1]);
  const reads = await Promise.all([auto.get(k("auto")), auto.hget(k("auto:h"), "a")]);
  assert.deepEqual(reads, ["value", 1]);
  const mixed = await Promise.allSettled([auto.get(k("auto")), auto.incr(k("auto")), auto.get(k("auto"))]);
  assert.deepEqual(mixed.map((m) => m.status), ["fulfilled", "rejected", "fulfilled"]);
});

test("transactions", async () => {
  const tx = redis.multi();
  tx.set(k("tx"), 1);
  tx.incr(k("tx"));
  tx.get(k("tx"));
  assert.deepEqual(await tx.exec(), ["OK", 2, 2]);
  // Discarded as a whole where a command is not one.
  const bad = redis.multi().set(k("tx"), 100);
  bad.chain({ command: ["NOSUCHCOMMAND", "x"], deserialize: (x) => x });
  await assert.rejects(bad.exec(), /EXECABORT|[Uu]nknown|not available/);
  assert.equal(await redis.get(k("tx")), 2);
  // Atomic under concurrency: both halves always change together.
  await Promise.all(
    Array.from({ length: 20 }, () => redis.multi().incr(k("left")).incr(k("right")).exec()),
  ).then((all) => all.forEach(([left, right]) => assert.equal(left, right)));
});

test("errors keep the server's words", async () => {
  await redis.set(k("text"), "abc");
  await assert.rejects(redis.incr(k("text")), (err) => {
    assert.equal(err.name, "UpstashError");
    assert.match(err.message, /ERR value is not an int or out of range/);
    return true;
  });
  await assert.rejects(redis.lpush(k("text"), 1), /WRONGTYPE/);
  await assert.rejects(redis.exec(["BLPOP", k("l"), 0]), /not available/);
  await assert.rejects(connect({ token: "wrong", retry: false }).get("a"), /WRONGPASS|[Uu]nauthorized/);
});

test("a request that is aborted", async () => {
  const stop = new AbortController();
  stop.abort(new Error("no longer wanted"));
  const client = connect({ signal: stop.signal });
  const result = await client.get(k("text")).catch((err) => err);
  assert.notEqual(result, "abc");
});

test("a read-only token reads", async (t) => {
  const readOnly = process.env.LARDER_READ_ONLY_TOKEN;
  if (!readOnly) return t.skip("LARDER_READ_ONLY_TOKEN is not set");
  const reader = connect({ token: readOnly });
  await redis.set(k("ro"), "value");
  assert.equal(await reader.get(k("ro")), "value");
  assert.deepEqual(await reader.mget(k("ro"), k("ro")), ["value", "value"]);
  for (const write of [
    () => reader.set(k("ro"), "changed"),
    () => reader.del(k("ro")),
    () => reader.eval("return 1", [], []),
    () => reader.keys("*"),
    () => reader.multi().get(k("ro")).del(k("ro")).exec(),
  ]) {
    await assert.rejects(write, /NOPERM/);
  }
  assert.equal(await redis.get(k("ro")), "value");
});

test("fromEnv, ping, echo, and reading one's own writes", async () => {
  const env = Redis.fromEnv();
  assert.equal(await env.ping(), "PONG");
  assert.equal(await env.echo("hello"), "hello");
  for (let i = 0; i < 50; i++) {
    await env.set(k("own"), i);
    assert.equal(await env.get(k("own")), i);
  }
});
