// @upstash/redis: scripts by text and by digest, and the flags of Upstash's dialect.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { connect, prefix } from "./env.js";

const redis = connect();
const k = (name) => prefix + name;

test("eval takes keys and arguments and returns every type", async () => {
  const script = `
    redis.call("SET", KEYS[1], ARGV[1])
    return {redis.call("GET", KEYS[1]), 42, {"nested", false}, redis.status_reply("FINE")}`;
  assert.deepEqual(await redis.eval(script, [k("a")], ["value"]), ["value", 42, ["nested", null], "FINE"]);
  assert.equal(await redis.eval("return nil", [], []), null);
});

test("a script's digest is known once it has been loaded", async () => {
  const text = `return "${prefix}" .. ARGV[1]`;
  const digest = createHash("sha1").update(text).digest("hex");
  await assert.rejects(redis.evalsha(digest, [], ["x"]), /NOSCRIPT/);
  assert.deepEqual(await redis.scriptExists(digest), [0]);
  assert.equal(await redis.scriptLoad(text), digest);
  assert.deepEqual(await redis.scriptExists(digest), [1]);
  assert.equal(await redis.evalsha(digest, [], ["x"]), `${prefix}x`);
});

test("createScript falls back to the text when the digest is unknown", async () => {
  const script = redis.createScript(`return {"${prefix}fallback", KEYS[1], ARGV[1]}`);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await script.exec([k("key")], ["arg"]), [`${prefix}fallback`, k("key"), "arg"]);
  }
});

test("flags that Redis does not know do not get in the way", async () => {
  const script = redis.createScript(
    `#!lua flags=allow-key-locking\nredis.call("INCR", KEYS[1])\nreturn redis.call("GET", KEYS[1])`,
  );
  assert.equal(await script.exec([k("locked")], []), 1);
  assert.equal(await script.exec([k("locked")], []), 2);
});

test("read-only scripts do not write", async () => {
  await redis.set(k("ro"), "value");
  assert.equal(await redis.evalRo('return redis.call("GET", KEYS[1])', [k("ro")], []), "value");
  const script = redis.createScript('return redis.call("GET", KEYS[1])', { readonly: true });
  assert.equal(await script.exec([k("ro")], []), "value");
  await assert.rejects(redis.evalRo('return redis.call("SET", KEYS[1], 1)', [k("ro")], []), /[Ww]rite|read-only/);
});

test("scripts in pipelines", async () => {
  const p = redis.pipeline();
  p.eval('return redis.call("INCR", KEYS[1])', [k("piped")], []);
  p.get(k("piped"));
  assert.deepEqual(await p.exec(), [1, 1]);
});

test("errors of scripts", async () => {
  await assert.rejects(redis.eval('return redis.error_reply("MINE no")', [], []), /MINE no/);
  await assert.rejects(redis.eval("this is no Lua", [], []), /ERR|compil/);
});
