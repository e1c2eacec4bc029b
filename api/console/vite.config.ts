import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const SERVICE = process.env.JOB_RECOVERY_URL ?? 'http://127.0.0.1:8082';

/** Does in development what the service does in production: name the root, relative to the page. */
function relativeBase(): Plugin {
  return {
    name: 'relative-base',
    apply: 'serve',
    transformIndexHtml(_html, { originalUrl = '/' }) {
      const depth = new URL(originalUrl, SERVICE).pathname.split('/').length - 2;
      return [{ tag: 'base', attrs: { href: '../'.repeat(depth) || './' }, injectTo: 'head-prepend' }];
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [svelte(), relativeBase()],
  build: {
    target: 'es2022',
    // The content security policy forbids data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The licences of what is bundled ask for a copy of their texts beside it. Also read by scripts/licences.py.
    license: { fileName: 'licences.json' },
  },
  worker: { format: 'es' },
  server: { proxy: { '/api/v1': SERVICE, '/health': SERVICE } },
  test: { include: ['tests/**/*.test.ts'], setupFiles: ['tests/setup.ts'], environment: 'node', env: { TZ: 'Europe/Berlin' } },
});
