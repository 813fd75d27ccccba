// @upstash/lock.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lock } from "@upstash/lock";
import { connect, prefix } from "./env.js";

const redis = connect();
const once = { attempts: 1, delay: 1 };

test("one holder at a time", async () => {
  const [mine, theirs] = [0, 1].map(() => new Lock({ id: `${prefix}lock`, redis, lease: 60_000, retry: once }));
  assert.equal(await mine.acquire(), true);
  assert.equal(await mine.getStatus(), "ACQUIRED");
  assert.equal(await theirs.acquire(), false);
  assert.equal(await theirs.release(), false, "what another holds is not released");
  assert.equal(await mine.extend(60_000), true);
  assert.ok((await redis.pttl(`${prefix}lock`)) > 60_000);
  assert.equal(await mine.release(), true);
  assert.equal(await mine.getStatus(), "FREE");
  assert.equal(await theirs.acquire(), true);
});

test("of many that want it, one gets it", async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, () => new Lock({ id: `${prefix}race`, redis, retry: once }).acquire()),
  );
  assert.equal(all.filter(Boolean).length, 1);
});

test("a lease ends", async () => {
  const first = new Lock({ id: `${prefix}lease`, redis, lease: 50, retry: once });
  assert.equal(await first.acquire(), true);
  const next = new Lock({ id: `${prefix}lease`, redis, retry: { attempts: 500, delay: 20 } });
  assert.equal(await next.acquire(), true);
  assert.equal(await first.release(), false);
});
