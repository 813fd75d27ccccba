// Client makes one client for the process and finds out at the start, not at the
// first request, whether it can be used. `process.env.X!` tells the compiler that
// the variable is set; it does not tell the one who deploys that it is not.
import { pathToFileURL } from "node:url";
import { Redis } from "@upstash/redis";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const redis = new Redis({
  url: required("UPSTASH_REDIS_REST_URL"),
  token: required("UPSTASH_REDIS_REST_TOKEN"),
  // A cache that is slow is worse than none: two attempts, then the database.
  retry: { retries: 1, backoff: () => 50 },
});

// unique keeps apart the keys of programs that run at the same time.
export const unique = `pattern-ts:${crypto.randomUUID()}`;

// Only where this file is the program, and not imported by another.
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log(await redis.ping());
}

// Output:
// PONG
