import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { test } from '../tests/people';
import { filledRoom } from './rooms';

const LIGHTHOUSE = 'lighthouse@12.8.2';
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

test('Lighthouse', async ({ server }, info) => {
  const roomId = await filledRoom(server, '이야기하는 방', 50);
  for (const [screen, path] of [['home', '/'], ['room', `/rooms/${roomId}`]]) {
    for (const form of ['desktop', 'mobile']) {
      const report = info.outputPath(`${screen}-${form}.json`);
      const flags = ['--quiet', '--output=json', `--output-path=${report}`, `--only-categories=${CATEGORIES}`, '--chrome-flags=--headless=new --no-sandbox --disable-gpu'];
      await promisify(execFile)('npx', ['--yes', LIGHTHOUSE, server.url + path, ...flags, ...(form === 'desktop' ? ['--preset=desktop'] : [])], {
        env: { ...process.env, CHROME_PATH: info.project.use.launchOptions?.executablePath },
      });
      const { categories, audits } = JSON.parse(readFileSync(report, 'utf8'));
      const scores = CATEGORIES.map((name) => `${name} ${Math.round(categories[name].score * 100)}`).join(', ');
      const paint = ['largest-contentful-paint', 'cumulative-layout-shift', 'total-blocking-time'].map((name) => `${name} ${audits[name].displayValue}`).join(', ');
      console.log(`${screen}, ${form}: ${scores}; ${paint}`);
      for (const { id, score } of Object.values<{ id: string; score: number | null }>(audits)) {
        if (score !== null && score < 0.9 && !id.includes('insight')) console.log(`    ${id}: ${score}`);
      }
    }
  }
});
