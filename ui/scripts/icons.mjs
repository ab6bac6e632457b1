// Draws the icons of the installed program from the logo: `node scripts/icons.mjs` rewrites public/icons.
import fs from 'node:fs';
import { chromium } from 'playwright-core';

const LEAF = 'M9 23c0-8 5-13 14-14 0 9-4 14-11 14-1.200 0-2.200-.3-3-.8M9 23c2-4 5-7 9-9';
const leaf = (colour) =>
  `<path d="${LEAF}" fill="none" stroke="${colour}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`;
// Of a maskable icon the inner four fifths are safe: the leaf stands within, the ground goes to the edge.
const small = (inner) => `<g transform="translate(16 16) scale(.78) translate(-16 -16)">${inner}</g>`;
const PICTURES = {
  icon: () => `<rect width="32" height="32" rx="8" fill="#0b6e60"/>${leaf('#fff')}`,
  maskable: () => `<rect width="32" height="32" fill="#0b6e60"/>${small(leaf('#fff'))}`,
  'apple-touch': () => `<rect width="32" height="32" fill="#0b6e60"/>${leaf('#fff')}`,
  monochrome: () => small(leaf('#000')),
};
const WANTED = [
  ['icon', 192],
  ['icon', 512],
  ['maskable', 192],
  ['maskable', 512],
  ['apple-touch', 180],
  ['monochrome', 512],
];

fs.mkdirSync('public/icons', { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
for (const [name, size] of WANTED) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 32 32">${PICTURES[name]()}</svg>`;
  await page.setContent(`<style>body{margin:0;background:transparent}svg{display:block}</style>${svg}`);
  await page.screenshot({ path: `public/icons/${name}-${size}.png`, omitBackground: true });
  await page.close();
}
await browser.close();
