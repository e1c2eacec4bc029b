import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { beforeEach, expect, test, vi } from 'vitest';

const SCRIPT = readFileSync(new URL('../public/reload.js', import.meta.url), 'utf8');

class Element {
  constructor(private readonly kind: string) {}

  matches(kinds: string): boolean {
    return kinds.split(', ').includes(this.kind);
  }
}

const [script, style, icon] = [new Element('script'), new Element('link[rel="stylesheet"]'), new Element('link[rel="icon"]')];
const reload = vi.fn();
const append = vi.fn();

beforeEach(() => {
  vi.clearAllMocks();
  sessionStorage.removeItem('job-recovery-reloaded');
});

/** Load the page, of which these files are missing. */
function load(missing: unknown[], isStarted = false): void {
  const listeners = new Set<(event: { target: unknown }) => void>();
  runInNewContext(SCRIPT, {
    Element,
    sessionStorage,
    location: { reload },
    document: { querySelector: () => ({ hasChildNodes: () => isStarted }), body: { append } },
    addEventListener: (_: string, one: () => void) => listeners.add(one),
    removeEventListener: (_: string, one: () => void) => listeners.delete(one),
  });
  for (const target of missing) listeners.forEach((one) => one({ target }));
}

test('a page of which files are missing is asked for again once, and then says so', () => {
  load([style, script]);
  expect([reload.mock.calls.length, append.mock.calls.length]).toEqual([1, 0]);

  load([style, script]);
  expect(reload).toHaveBeenCalledOnce();
  expect(append).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('Reload the page'));
});

test.each([
  ['an icon', [icon], false],
  ['a fault of a script', [{}], false],
  ['a file of a page that has started', [script], true],
])('%s is no reason for it', (_, missing, isStarted) => {
  load(missing, isStarted);
  expect(reload).not.toHaveBeenCalled();
});
