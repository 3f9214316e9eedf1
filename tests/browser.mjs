// browser.mjs - a real Chromium that walks the dashboard: what every page must hold to, wherever it is looked at.
import { readFileSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 360, height: 780 } };

export async function openBrowser() {
  const executablePath = process.env.CHROMIUM ?? PATHS.find((p) => existsSync(p));
  if (!executablePath) throw new Error('no Chromium: install the package chromium');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
}

// A visitor with a jar of cookies of their own. `faults` gathers what no page may do.
export async function visitor(browser, base, size = SIZES.desktop, options = {}) {
  const context = await browser.newContext({ baseURL: base, viewport: size, locale: 'pt-BR', ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (m) => { if (m.type() === 'error') faults.push(`console: ${m.text()}`); });
  page.on('pageerror', (e) => faults.push(`script: ${e.message}`));
  page.on('request', (r) => { if (!r.url().startsWith(base) && !r.url().startsWith('data:')) faults.push(`request to ${r.url()}`); });
  return { context, page, faults };
}

export async function signIn(page, user, password) {
  await page.goto('/login');
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', password);
  await Promise.all([page.waitForNavigation(), page.click('.sign-in button')]);
}

// Everything that is wrong with the page as it stands, in words.
export async function wrongs(page, faults, { accessibility = true } = {}) {
  const found = faults.splice(0);
  const wide = await page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return null;
    const far = [...document.querySelectorAll('body *')].filter((x) => x.getBoundingClientRect().right > room + 1);
    return `${document.documentElement.scrollWidth} px wide in ${room}: ${far.slice(0, 3).map((x) => x.outerHTML.slice(0, 120)).join(' | ')}`;
  });
  if (wide) found.push(`overflows: ${wide}`);
  if (!accessibility) return found;
  await page.evaluate(axe);
  const seen = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] }));
  for (const v of seen.violations) {
    if (['serious', 'critical'].includes(v.impact)) found.push(`accessibility, ${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150)).join(' | ')}`);
  }
  return found;
}
