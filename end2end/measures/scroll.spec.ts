import type { Browser } from '@playwright/test';
import { expect, test } from '../tests/people';
import type { Server } from '../tests/server';
import { median, quantile } from './quantiles';
import { filledRoom } from './rooms';

const ROUNDS = 5;
const FRAMES = 400;

/** How long frames take (ms) while a page scrolls upwards, loading older messages as it goes, and how many it then holds. */
async function scroll(browser: Browser, server: Server, roomId: string) {
  const page = await browser.newPage({ baseURL: server.url, viewport: { width: 1280, height: 800 } });
  await page.goto(`/rooms/${roomId}`);
  await expect(page.locator('.connection')).toHaveAttribute('data-state', 'live');
  const seen = await page.evaluate(async (frames) => {
    const timeline = document.querySelector('#timeline')!;
    const frame = () => new Promise<number>(requestAnimationFrame);
    const times: number[] = [];
    let last = await frame();
    for (let n = 0; n < frames; n++) {
      // Upwards, and from the top to the end again.
      const room = timeline.scrollHeight - timeline.clientHeight;
      timeline.scrollTop = -timeline.scrollTop >= room - 1 ? 0 : timeline.scrollTop - 300;
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return { times, held: document.querySelectorAll('.message').length };
  }, FRAMES);
  await page.close();
  return seen;
}

test('a frame while scrolling: 10,000 messages to 300', async ({ browser, server }) => {
  const rooms = { '300': await filledRoom(server, '짧은 방', 300), '10,000': await filledRoom(server, '긴 방', 10_000) };
  const p95: Record<string, number[]> = { '300': [], '10,000': [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, roomId] of Object.entries(rooms)) {
      const { times, held } = await scroll(browser, server, roomId);
      p95[name].push(quantile(times, 0.95));
      console.log(`${name} messages: p50 ${median(times).toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms, ${held} of them in the page at the end`);
    }
  }
  console.log(`p95, medians of ${ROUNDS}: ${(median(p95['10,000']) / median(p95['300'])).toFixed(2)} (target: at most 2)`);
});
