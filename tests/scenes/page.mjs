// Reads status pages as a person sees them: lines of {url, script, picture} on standard input, a line of JSON for each.
// With `only` a page is only photographed: in light and dark, on a desk and on a phone.
import { createInterface } from "node:readline";
import { launch } from "./browser.mjs";

const browser = await launch();

async function photograph(page, picture, whole) {
  for (const [size, viewport] of [["desktop", { width: 1360, height: 900 }], ["phone", { width: 390, height: 844 }]]) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${picture}-${size}-${colorScheme}.png`, fullPage: whole });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) throw new Error(`${url_of(page)} is ${wide} pixels too wide for a ${size}`);
    }
  }
}

const url_of = (page) => new URL(page.url()).pathname;

async function look({ url, script, picture, only }) {
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
    if (only) {
      await photograph(page, picture, true);
      return { complaints };
    }
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
    if (script) await photograph(page, picture, rows.length < 100);
    else await page.screenshot({ path: `${picture}.png`, fullPage: rows.length < 100 });
    return { headline: (await texts(page, "#headline"))[0], title: await page.title(), tiles, rows, complaints };
  } finally {
    await context.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await look(JSON.parse(line)).catch((error) => ({ error: error.message }))));
}
await browser.close();
