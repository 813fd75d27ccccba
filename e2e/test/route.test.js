// A route handler as Next.js has them: functions from a Request to a Response.
// They are called directly; Next.js itself is not run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ratelimit } from "@upstash/ratelimit";
import { connect, prefix } from "./env.js";

const redis = connect();
const limit = new Ratelimit({ redis, limiter: Ratelimit.fixedWindow(2, "1000 d"), prefix: `${prefix}limit`, ephemeralCache: false, timeout: 0 });
const database = new Map([["1", { id: "1", name: "Ada" }]]);

async function GET(request, { params }) {
  const { success, remaining } = await limit.limit(request.headers.get("x-forwarded-for") ?? "unknown");
  if (!success) return new Response("Too many requests", { status: 429 });
  const { id } = await params;
  const key = `${prefix}user:${id}`;
  let from = "cache";
  let user = await redis.get(key);
  if (!user) {
    from = "database";
    user = database.get(id);
    if (!user) return new Response("Not found", { status: 404 });
    await redis.set(key, user, { ex: 60 });
  }
  return Response.json(user, { headers: { "x-from": from, "x-remaining": String(remaining) } });
}

async function PUT(request, { params }) {
  const { id } = await params;
  database.set(id, { id, ...(await request.json()) });
  await redis.del(`${prefix}user:${id}`);
  return new Response(null, { status: 204 });
}

const context = (id) => ({ params: Promise.resolve({ id }) });
const get = (id, from) => GET(new Request(`http://localhost/api/users/${id}`, { headers: { "x-forwarded-for": from } }), context(id));

test("GET caches and limits, PUT invalidates", async () => {
  const seen = [];
  for (const from of ["a", "a", "a", "b"]) {
    const res = await get("1", from);
    seen.push([res.status, res.headers.get("x-from"), res.headers.get("x-remaining")]);
  }
  assert.deepEqual(seen, [[200, "database", "1"], [200, "cache", "0"], [429, null, null], [200, "cache", "1"]]);
  const put = await PUT(new Request("http://localhost/api/users/1", { method: "PUT", body: JSON.stringify({ name: "Zoë" }) }), context("1"));
  assert.equal(put.status, 204);
  assert.deepEqual(await (await get("1", "c")).json(), { id: "1", name: "Zoë" });
  assert.equal((await get("2", "c")).status, 404);
});
