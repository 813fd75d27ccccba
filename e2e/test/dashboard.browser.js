// Opens the dashboard of a running demo with a browser. LARDER_DASHBOARD is its address,
// LARDER_TOKEN the token, LARDER_CHROMIUM the browser; LARDER_HOSTILE, if set, is the
// prefix of keys whose names try to be executed. With LARDER_AXE every view goes through
// the accessibility checker. With LARDER_SHOTS, a folder, pictures of
// all views are kept there for somebody to look at.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const base = process.env.LARDER_DASHBOARD;
const token = process.env.LARDER_TOKEN;
const hostile = process.env.LARDER_HOSTILE;
const shots = process.env.LARDER_SHOTS;
const checks = Boolean(process.env.LARDER_AXE);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Waits are for what will come; they are long because the machine may be busy.
const patience = 60_000;

const views = {
  Overview: "./", Namespaces: "namespaces", Keys: "keys", Tags: "tags", "Rate limits": "limits",
  Sessions: "sessions", Topics: "topics", Gateway: "gateway", Events: "events",
};

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.LARDER_CHROMIUM, timeout: patience,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});
after(async () => browser?.close());

// visit opens a page in a browser of its own, which must not complain.
async function visit(t, options) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (m) => {
    if (m.type() === "error" && !/status of 4(01|03)/.test(m.text())) complaints.push(m.text());
  });
  page.on("pageerror", (e) => complaints.push(e.message));
  page.on("dialog", (d) => { complaints.push("a dialog: " + d.message()); d.dismiss(); });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, [], "the browser complained");
  });
  return page;
}

async function signIn(page) {
  await page.goto(base);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
}

// flaws are what the checker finds serious.
async function flaws(page, rules) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate((only) => globalThis.axe.run(only ? { runOnly: only } : {}), rules);
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 150)).join(" | ")}`);
}

async function looksRight(page, name, width, scheme) {
  if (checks) assert.deepEqual(await flaws(page), [], `${name}, ${scheme}, ${width}`);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wider <= 0, `${name} is ${wider} px wider than ${width}`);
  if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true });
  if (width < 1400 || !checks) return; // colours do not depend on the width
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual(await flaws(page, ["color-contrast"]), [], `${name}, dark, ${width}`);
  if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-dark.png`, fullPage: true });
  await page.emulateMedia({ colorScheme: scheme });
}

// aKey finds an entry of the demo's pages.
async function aKey(page) {
  await page.goto(base + "keys");
  await page.getByLabel("Keys that begin with").fill("demo-");
  await page.getByRole("button", { name: "Search" }).click();
  const link = page.locator("table.keys a", { hasText: /-page:/ }).first();
  await link.waitFor();
  return link;
}

test("signing in and out", async (t) => {
  const page = await visit(t);
  await page.goto(base + "events");
  assert.match(page.url(), /login\?next=events$/);
  await page.getByLabel("Token").fill("not the token");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").filter({ hasText: "not the token" }).waitFor();
  assert.deepEqual(await flaws(page), []);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Events" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  await page.goto(base);
  assert.match(page.url(), /login$/);
});

test("an open page follows the traffic", async (t) => {
  const page = await visit(t);
  await signIn(page);
  // Resolves with the number of requests in the last hour, once it is above another one.
  const above = (n) => page.waitForFunction((least) => {
    const said = document.querySelector("#p-tiles")?.innerText.match(/([0-9,]+) in the last hour/)?.[1] ?? "0";
    const now = Number(said.replaceAll(",", ""));
    return now > least && now;
  }, n).then((handle) => handle.jsonValue());
  await above(await above(0));
  // Pausing keeps what is there.
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("paused").waitFor();
  await page.getByRole("button", { name: "Go on" }).click();
  await page.locator('.dot[data-state="live"]').waitFor();
  // A chart's table that is open stays open.
  const details = page.locator("#p-requests details");
  await details.locator("summary").click();
  const updates = Number(await page.locator(".panels").getAttribute("data-updates"));
  await page.waitForFunction((n) => Number(document.querySelector(".panels").dataset.updates) > n, updates + 1);
  assert.ok(await details.evaluate((d) => d.open), "an update closed the table");
});

for (const [width, scheme] of [[1400, "light"], [400, "dark"]]) {
  test(`every view at ${width} px`, async (t) => {
    const page = await visit(t, { viewport: { width, height: 900 }, colorScheme: scheme });
    await signIn(page);
    for (const [name, path] of Object.entries(views)) {
      await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
      assert.equal(new URL(page.url()).pathname, new URL(path, base).pathname);
      await looksRight(page, name, width, scheme);
    }
    const namespace = page.getByRole("link", { name: /-page$/ }).first();
    await page.goto(base + "namespaces");
    await namespace.click();
    await page.getByRole("heading", { level: 1, name: "Namespace", exact: true }).waitFor();
    await looksRight(page, "Namespace", width, scheme);
    await (await aKey(page)).click();
    await page.getByText("Lives in").waitFor();
    await looksRight(page, "Key", width, scheme);
    await page.getByRole("link", { name: "Invalidate…" }).click();
    await looksRight(page, "Invalidate", width, scheme);
  });
}

for (const javaScriptEnabled of [true, false]) {
  test(`searching, explaining and invalidating a key ${javaScriptEnabled ? "with" : "without"} JavaScript`, async (t) => {
    const page = await visit(t, { javaScriptEnabled });
    await signIn(page);
    for (const [name, path] of javaScriptEnabled ? [] : Object.entries(views)) {
      await page.goto(base + path);
      await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
      assert.ok((await page.locator(".panels").innerText()).length > 40, name + " is empty");
    }
    const link = await aKey(page);
    const key = await link.innerText();
    await link.click();
    await page.getByText("Lives in").waitFor();
    assert.equal(await page.locator(".name").innerText(), key);
    await page.getByRole("link", { name: "Invalidate…" }).click();
    await page.getByRole("heading", { name: "Invalidate this key?" }).waitFor();
    await page.getByRole("button", { name: "Invalidate" }).click();
    // A visitor may have had it loaded again already: what was done stands in the events.
    await page.getByRole("heading", { level: 1, name: "Key", exact: true }).waitFor();
    await page.goto(base + "events");
    await page.locator("#p-events tr", { hasText: "this dashboard" }).filter({ hasText: key }).first().waitFor();
    await page.goto(base + "tags");
    await page.locator("#p-tags tbody a").first().click();
    await page.getByRole("link", { name: "Invalidate…" }).click();
    await page.getByRole("button", { name: "Invalidate" }).click();
    await page.getByText(/Last invalidated/).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
  });
}

test("names are shown, not executed", { skip: !hostile }, async (t) => {
  const page = await visit(t);
  await signIn(page);
  const list = base + "keys?" + new URLSearchParams({ prefix: hostile });
  await page.goto(list);
  const links = page.locator("table.keys a");
  await links.first().waitFor();
  const n = await links.count();
  assert.equal(n, 4);
  assert.match(await page.locator("table.keys").innerText(), /<script>document\.title="executed"<\/script>/);
  for (let i = 0; i < n; i++) {
    await page.goto(list);
    await links.nth(i).click();
    await page.getByText("not an entry").waitFor();
    assert.equal(await page.title(), "Key · Larder");
    assert.equal(await page.locator("main script, main img, main b").count(), 0);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, "a long name makes the page wider");
  }
});
