import { defineConfig } from '@playwright/test';
import base from '../playwright.config';

/** What is measured and not tested: figures for a quiet machine, one after the other. `npm run measure`. */
export default defineConfig({ ...base, testDir: '.', workers: 1, timeout: 30 * 60_000 });
