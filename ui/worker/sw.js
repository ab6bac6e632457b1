// Opens the program without a connection. It keeps the files of the interface and nothing else: no answer of the server
// goes through here (what a person has seen is kept sealed by the page itself). scripts/worker.mjs fills in the two lines.
const VERSION = '__VERSION__';
const FILES = JSON.parse('__FILES__');

const SHELL = `guanxi-shell-${VERSION}`;
const USED = `guanxi-used-${VERSION}`;
/** What the server answers itself. */
const SERVER = /^\/(api|mcp|healthz|readyz|metrics|\.well-known)(\/|$)/;
/** How long a slow network may keep somebody waiting before the kept page is shown, in milliseconds. */
const PATIENCE = 4000;

/** Names under assets/ carry a hash of their content: what the browser has already is the same. */
const isHashed = (path) => path.startsWith('/assets/');

self.addEventListener('install', (event) => {
  const requests = FILES.map((path) => new Request(path, { cache: isHashed(path) ? 'default' : 'reload' }));
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(requests)));
});

self.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys())
      if (name.startsWith('guanxi-') && name !== SHELL && name !== USED) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// A person chose to change to the new version.
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') self.skipWaiting();
});

const nothing = () =>
  new Response(
    '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Guanxi 关系</title>' +
      '<h1>离线 · Offline</h1><p>网络恢复后请重新打开。</p><p lang="en">Please open it again once you are online.</p>',
    { status: 503, headers: { 'Content-Type': 'text/html; charset=utf-8' } },
  );

/** A page: as the server has it, and the kept one where the server does not answer in time. */
async function page(request) {
  const kept = async () => (await caches.match('/index.html')) ?? nothing();
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE)).then(() => caches.match('/index.html'));
  const fresh = fetch(request).then((answer) => (answer.status === 502 || answer.status === 504 ? kept() : answer));
  try {
    return (await Promise.race([fresh, late])) ?? (await fresh);
  } catch {
    return await kept();
  }
}

async function file(request) {
  const known = await caches.match(request, { ignoreVary: true });
  if (known !== undefined) return known;
  const answer = await fetch(request);
  if (answer.ok && answer.type === 'basic') {
    const copy = answer.clone();
    caches
      .open(USED)
      .then((cache) => cache.put(request, copy))
      .catch(() => undefined);
  }
  return answer;
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || SERVER.test(url.pathname)) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (isHashed(url.pathname)) event.respondWith(file(request));
  else if (FILES.includes(url.pathname)) event.respondWith(fetch(request).catch(() => caches.match(url.pathname)));
});
