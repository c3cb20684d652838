// The page of a real daemon, in a real browser: node live.mjs URL. Says "calm" once all is in sync, and ends when the page tells of
// the leak that somebody then makes, and of its end.
import { launch } from "./browser.mjs";

const [url] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(url);
  const headline = (text) => page.waitForFunction((wanted) => document.getElementById("headline").textContent === wanted, text,
    { timeout: 400_000 });
  await headline("All 3 images are in sync");
  console.log("calm");
  await headline("1 image is shared with unexpected accounts");
  console.log("unexpected");
  await headline("All 3 images are in sync");
  console.log("calm again");
} finally {
  await browser.close();
}
