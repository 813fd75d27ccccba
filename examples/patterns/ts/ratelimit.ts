// Ratelimit lets each visitor through three times in ten minutes. `retry-after` is
// what a client can use; a message with milliseconds in it is not. When the cache
// does not answer in time the SDK lets requests through, after `timeout`.
import { Ratelimit } from "@upstash/ratelimit";
import { redis, unique } from "./client.js";

const limiter = new Ratelimit({
  redis,
  limiter: Ratelimit.slidingWindow(3, "10 m"),
  prefix: `${unique}:limit`,
  timeout: 5000,
});

async function handle(visitor: string): Promise<Response> {
  const { success, limit, remaining, reset } = await limiter.limit(visitor);
  const headers = { "ratelimit-limit": `${limit}`, "ratelimit-remaining": `${remaining}` };
  if (success) return new Response("Hello", { headers });
  const seconds = Math.max(1, Math.ceil((reset - Date.now()) / 1000));
  return new Response("Too many requests", { status: 429, headers: { ...headers, "retry-after": `${seconds}` } });
}

for (let i = 0; i < 4; i++) {
  const res = await handle("ada");
  console.log(res.status, res.headers.get("ratelimit-remaining"), res.headers.has("retry-after"));
}
console.log((await handle("zoe")).status);

// Output:
// 200 2 false
// 200 1 false
// 200 0 false
// 429 0 true
// 200
