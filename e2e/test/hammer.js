// Asks for one identifier many times, ten at once: node test/hammer.js algorithm
// prefix limit requests. It sets prefix:ready when it is under way, and prints how
// many were allowed. See ../limit_test.go.
import { connect } from "./env.js";
import { limiterOf } from "./limiter.js";

const [name, prefix, limit, requests] = process.argv.slice(2);
const limiter = limiterOf(name, prefix, Number(limit));
let allowed = 0;
const pending = [];
for (let i = 0; i < Number(requests) / 10; i++) {
  const all = await Promise.all(Array.from({ length: 10 }, () => limiter.limit("shared")));
  allowed += all.filter((r) => r.success).length;
  pending.push(...all.map((r) => r.pending));
  if (i === 10) await connect().set(`${prefix}:ready`, 1, { ex: 600 });
}
await Promise.all(pending);
console.log(JSON.stringify({ allowed }));
