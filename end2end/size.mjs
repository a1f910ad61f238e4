// What the page weighs as brotli, quality 11. Fails beyond the limit.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

/** In KB of 1,000 bytes: what we aim at, and what fails. */
const BUDGET = [
  { what: 'WASM + JS', files: /\.(wasm|js)$/, target: 130, limit: 148 },
  { what: 'CSS', files: /\.css$/, target: 12, limit: 12 },
];

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const pkg = join(resolve(repository, process.env.LEPTOS_SITE_ROOT ?? 'target/site'), 'pkg');
const kilobytes = (bytes) => (bytes / 1000).toFixed(1).padStart(9);
const row = (name, ...columns) => console.log(name.padEnd(28) + columns.join(''));

const options = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
const files = readdirSync(pkg, { recursive: true }).map(String).sort().map((name) => ({ name, path: join(pkg, name) }));

row(pkg);
row('', ' raw (KB)', '   brotli', '   target', '    limit');
let within = true;
for (const { what, files: pattern, target, limit } of BUDGET) {
  let sum = 0;
  for (const { name, path } of files.filter(({ name }) => pattern.test(name))) {
    const text = readFileSync(path);
    const size = brotliCompressSync(text, options).length;
    sum += size;
    row(`  ${name}`, kilobytes(text.length), kilobytes(size));
  }
  within &&= sum > 0 && sum <= limit * 1000;
  const note = sum === 0 ? 'MISSING' : sum > limit * 1000 ? `OVER the budget by ${Math.ceil(sum / 1000 - limit)}` : '';
  row(what, ' '.repeat(9), kilobytes(sum), kilobytes(target * 1000), kilobytes(limit * 1000), `  ${note}`);
}
process.exit(within ? 0 : 1);
