// What the analytics reader of @upstash/ratelimit sees of one identifier: node
// test/usage.js algorithm prefix limit. See ../limit_test.go.
import { Analytics } from "@upstash/ratelimit";
import { connect } from "./env.js";

const [, prefix] = process.argv.slice(2);
const usage = await new Analytics({ redis: connect(), prefix }).getUsage(Date.now() - 2 * 3600_000);
const { success, blocked } = usage.shared;
console.log(JSON.stringify({ success, blocked }));
