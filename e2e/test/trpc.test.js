// A tRPC v11 server over HTTP with a cached and a rate-limited procedure, and its client.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { initTRPC, TRPCError } from "@trpc/server";
import { createHTTPServer } from "@trpc/server/adapters/standalone";
import { Ratelimit } from "@upstash/ratelimit";
import { z } from "zod";
import { connect, prefix } from "./env.js";

const redis = connect();
const trpc = initTRPC.create();
const limit = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(2, "1000 d"), prefix: `${prefix}limit`, ephemeralCache: false, timeout: 0 });
let loads = 0;

const router = trpc.router({
  square: trpc.procedure.input(z.object({ n: z.number() })).query(async ({ input }) => {
    const key = `${prefix}square:${input.n}`;
    const hit = await redis.get(key);
    if (hit) return hit.value;
    loads++;
    const value = input.n * input.n;
    await redis.set(key, { value }, { ex: 60 });
    return value;
  }),
  send: trpc.procedure
    .input(z.object({ from: z.string() }))
    .use(async ({ getRawInput, next }) => {
      const { success } = await limit.limit((await getRawInput()).from);
      if (!success) throw new TRPCError({ code: "TOO_MANY_REQUESTS" });
      return next();
    })
    .mutation(() => "sent"),
});

test("over HTTP", async (t) => {
  const server = createHTTPServer({ router });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = createTRPCClient({ links: [httpBatchLink({ url: `http://127.0.0.1:${server.address().port}` })] });
  assert.equal(await client.square.query({ n: 0 }), 0);
  assert.equal(await client.square.query({ n: 0 }), 0, "zero is a value");
  assert.equal(loads, 1);
  assert.deepEqual(await Promise.all([client.square.query({ n: 3 }), client.square.query({ n: 4 })]), [9, 16]);
  assert.equal(loads, 3);
  assert.equal(await client.send.mutate({ from: "ada" }), "sent");
  assert.equal(await client.send.mutate({ from: "ada" }), "sent");
  await assert.rejects(client.send.mutate({ from: "ada" }), (err) => err.data.code === "TOO_MANY_REQUESTS");
  assert.equal(await client.send.mutate({ from: "zoë" }), "sent");
});
