// Puts a brotli and a gzip copy beside each file of a site, for the server to send as they are.
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , site] = process.argv;
for (const name of readdirSync(site, { recursive: true }).map(String)) {
  const file = join(site, name);
  if (!statSync(file).isFile()) continue;
  const bytes = readFileSync(file);
  for (const [ending, packed] of [
    ['br', brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })],
    ['gz', gzipSync(bytes, { level: 9 })],
  ]) {
    // What does not get smaller is sent as it is.
    if (packed.length < bytes.length * 0.9) writeFileSync(`${file}.${ending}`, packed);
  }
}
