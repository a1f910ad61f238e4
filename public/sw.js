// Shows a page of its own when the server cannot be reached. It keeps that page and nothing else: what people say
// is theirs, and belongs in no cache of ours.
const KEPT = 'madang-offline-2';
const PAGE = '/offline.html';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll([PAGE, '/offline.css', '/favicon.svg'])));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  const outdated = (names) => names.filter((name) => name !== KEPT).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(outdated(names))).then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { mode, method, url } = event.request;
  if (mode === 'navigate' && method === 'GET') {
    event.respondWith(fetch(event.request).catch(() => caches.match(PAGE)));
  } else if (['/offline.css', '/favicon.svg'].includes(new URL(url).pathname)) {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});
