// Minifies a JavaScript module in place, as cargo-leptos does.
import { minify } from '@swc/core';
import { readFile, writeFile } from 'node:fs/promises';

const [, , file] = process.argv;
const { code } = await minify(await readFile(file, 'utf8'), { compress: true, mangle: true, module: true });
await writeFile(file, code);
