// Publishes what it hears of one topic to another: node test/echo.js kind from to
// count. With kind "durable" the topics are channels of @upstash/realtime, read from
// their beginning. It sets from:ready when it listens. See ../event_test.go.
import { Realtime } from "@upstash/realtime";
import { z } from "zod";
import { connect, Gathered, listening } from "./env.js";

// The SDK's pings go on after a subscription has ended; they are not to keep this
// process.
const { setInterval } = globalThis;
globalThis.setInterval = (...args) => setInterval(...args).unref();

const [kind, from, to, count] = process.argv.slice(2);
const redis = connect();
const got = new Gathered();
let publish, stop;
if (kind === "durable") {
  const schema = { order: { paid: z.object({ N: z.number(), Name: z.string() }) } };
  const realtime = new Realtime({ schema, redis, history: { maxLength: 100, expireAfterSecs: 600 } });
  stop = await realtime.channel(from).subscribe({ events: ["order.paid"], history: true, onData: (e) => got.push(e) });
  publish = (e) => realtime.channel(to).emit(e.event, e.data);
} else {
  const sub = redis.subscribe(from);
  sub.on("message", (e) => got.push(e));
  await listening(sub);
  stop = () => sub.unsubscribe();
  publish = (e) => redis.publish(to, e.message);
}
await redis.set(`${from}:ready`, 1, { ex: 600 });
for (const e of await got.until(Number(count), "the messages")) await publish(e);
await stop();
