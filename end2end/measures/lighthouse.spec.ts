import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { test } from '../tests/people';
import { median } from './quantiles';
import { filledRoom } from './rooms';

const LIGHTHOUSE = 'lighthouse@12.8.2';
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];

const METRICS = ['first-contentful-paint', 'largest-contentful-paint', 'cumulative-layout-shift', 'total-blocking-time'];
/** A single run is a draw: its score hangs on what else the machine does. */
const RUNS = 5;

for (const screen of ['home', 'room']) {
  for (const form of ['desktop', 'mobile']) {
    test(`Lighthouse: ${screen}, ${form}`, async ({ server }, info) => {
      const path = screen === 'home' ? '/' : `/rooms/${await filledRoom(server, '이야기하는 방', 50)}`;
      const visit = async (report: string) => {
        const flags = ['--quiet', '--output=json', `--output-path=${report}`, `--only-categories=${CATEGORIES}`, '--chrome-flags=--headless=new --no-sandbox --disable-gpu'];
        await promisify(execFile)('npx', ['--yes', LIGHTHOUSE, server.url + path, ...flags, ...(form === 'desktop' ? ['--preset=desktop'] : [])], {
          env: { ...process.env, CHROME_PATH: info.project.use.launchOptions?.executablePath },
        });
        return JSON.parse(readFileSync(report, 'utf8'));
      };
      const reports = [];
      for (let run = 0; run < RUNS; run++) {
        const report = info.outputPath(`${run}.json`);
        // Now and then Lighthouse has no trace of the page, says so, and asks to be run again.
        reports.push(await visit(report).catch(() => visit(report)));
      }
      for (const name of CATEGORIES) {
        const scores = reports.map(({ categories }) => Math.round(categories[name].score * 100));
        console.log(`${screen}, ${form}: ${name} ${median(scores)} (${scores.join(' ')})`);
      }
      const metrics = METRICS.map((name) => `${name} ${median(reports.map(({ audits }) => audits[name].numericValue)).toFixed(2)}`);
      console.log(`    ${metrics.join(', ')}; speed of the machine (benchmarkIndex) ${reports.map(({ environment }) => environment.benchmarkIndex).join(' ')}`);
      const { audits } = reports[0];
      for (const { id, score } of Object.values<{ id: string; score: number | null }>(audits)) {
        if (score !== null && score < 0.9 && !id.includes('insight')) console.log(`    ${id}: ${score}`);
      }
    });
  }
}
