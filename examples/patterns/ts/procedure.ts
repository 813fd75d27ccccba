// Procedure caches the answers of a tRPC procedure, in one place for all that want
// it. The middleware must end the call with what it has found: one that calls
// next() and replaces the data afterwards has run the procedure, which is what it
// was to save. The input is part of the key, and so is the user where the answer
// depends on one.
import { createHash } from "node:crypto";
import { initTRPC } from "@trpc/server";
import { z } from "zod";
import { redis, unique } from "./client.js";

const trpc = initTRPC.context<{ user: string }>().create();
let runs = 0;

// cachedFor wraps a resolver, which keeps its types and its right not to run.
function cachedFor<I, O>(name: string, seconds: number, resolve: (input: I) => Promise<O>) {
  return async ({ ctx, input }: { ctx: { user: string }; input: I }): Promise<O> => {
    const digest = createHash("sha256").update(JSON.stringify([ctx.user, input])).digest("base64url");
    const key = `${unique}:trpc:${name}:${digest}`;
    const hit = await redis.get<{ value: O }>(key).catch(() => null);
    if (hit) return hit.value;
    const value = await resolve(input); // an error is not cached
    await redis.set(key, { value }, { ex: seconds }).catch(() => null);
    return value;
  };
}

const router = trpc.router({
  count: trpc.procedure.input(z.object({ word: z.string() })).query(
    cachedFor("count", 60, async ({ word }: { word: string }) => {
      runs++;
      return word.length;
    }),
  ),
});

const ada = router.createCaller({ user: "ada" });
const zoe = router.createCaller({ user: "zoe" });
console.log(await ada.count({ word: "" }), await ada.count({ word: "" }), "runs:", runs);
console.log(await ada.count({ word: "larder" }), await zoe.count({ word: "larder" }), "runs:", runs);

// Output:
// 0 0 runs: 1
// 6 6 runs: 3
