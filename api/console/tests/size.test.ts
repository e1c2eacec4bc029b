import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';

const ASSETS = new URL('../dist/assets/', import.meta.url);
const MOST = 150_000;

test('all scripts and styles of the built console together are small, as they are sent', () => {
  const sent = readdirSync(ASSETS).filter((name) => /\.(js|css)$/.test(name));
  const bytes = sent.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, ASSETS))).length, 0);
  expect(sent.length).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(MOST);
});
