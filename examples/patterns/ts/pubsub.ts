// Pubsub sends events to whoever listens at the moment, over HTTP: the subscriber
// holds one request open and gets server-sent events. Who is not connected misses
// them; for events that must not be lost use a stream (XADD, XREAD).
import { redis, unique } from "./client.js";

type Order = { id: number; total: number };
const channel = `${unique}:orders`;

const subscriber = redis.subscribe<Order>(channel);
const subscribed = new Promise<void>((resolve, reject) => {
  subscriber.on("subscribe", () => resolve());
  subscriber.on("error", reject);
});
const seen: Order[] = [];
const both = new Promise<void>((resolve) => {
  subscriber.on("message", ({ message }) => {
    seen.push(message);
    if (seen.length === 2) resolve();
  });
});

// What is published before the subscription stands reaches nobody.
await subscribed;
// Objects are turned into JSON by the client: not by the caller too.
console.log("listeners:", await redis.publish(channel, { id: 1, total: 12.5 } satisfies Order));
await redis.publish(channel, { id: 2, total: 8 } satisfies Order);
await both;
await subscriber.unsubscribe();
console.log(seen.map((order) => `${order.id}: ${order.total}`).join(", "));

// Output:
// listeners: 1
// 1: 12.5, 2: 8
