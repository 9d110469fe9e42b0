import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The reason to skip; false when a browser is there. In CI there must be one. */
export function whyNoBrowser(): string | false {
  if (PLACES.some((place) => existsSync(place))) return false;
  return 'no Chromium on this machine (Debian: apt-get install chromium)';
}

/** A headless Chromium that speaks to nothing but the page. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = PLACES.find((place) => existsSync(place));
  if (executablePath === undefined) throw new Error(String(whyNoBrowser()));
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
