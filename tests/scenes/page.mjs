// Reads status pages as a person sees them: lines of {url, script, picture} on standard input, a line of JSON for each.
import { createInterface } from "node:readline";
import { launch } from "./browser.mjs";

const browser = await launch();

async function look({ url, script, picture }) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, javaScriptEnabled: script });
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  try {
    await page.goto(url);
    if (script) await page.waitForFunction(() => document.getElementById("live").dataset.state === "live");
    const texts = (root, selector) => root.locator(selector).allTextContents();
    const rows = [];
    for (const row of await page.locator("#rows > tr").elementHandles()) {
      rows.push(await row.evaluate((element) => {
        const of = (kind) => [...element.querySelectorAll(`li.${kind} > code`)].map((code) => code.textContent);
        return { id: element.dataset.id, verdict: element.dataset.verdict, badge: element.querySelector(".badge").textContent,
          unexpected: of("unexpected"), missing: of("missing") };
      }));
    }
    const tiles = Object.fromEntries(await page.locator("#tiles > li").evaluateAll((items) => items.map((item) =>
      [item.dataset.verdict, Number(item.querySelector("b").textContent)])));
    if (picture) await page.screenshot({ path: picture, fullPage: rows.length < 100 });
    return { headline: (await texts(page, "#headline"))[0], title: await page.title(), tiles, rows, complaints };
  } finally {
    await context.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await look(JSON.parse(line)).catch((error) => ({ error: error.message }))));
}
await browser.close();
