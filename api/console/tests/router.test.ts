import { expect, test } from 'vitest';
import { fill, match, withQuery } from '../src/lib/router';

const ROUTES = [{ path: '/' }, { path: '/jobs/:id' }, { path: '/runs' }];

test('a path finds its route and its parameters', () => {
  expect(match(ROUTES, '/')?.route.path).toBe('/');
  expect(match(ROUTES, '/jobs/job-1')).toEqual({ route: ROUTES[1], params: { id: 'job-1' } });
});

test.each(['/jobs', '/jobs/', '/jobs/a/b', '/jobs/100%', '/unknown'])('%s is no page', (path) =>
  expect(match(ROUTES, path)).toBeNull());

test('an id with any characters survives an address', () => {
  const id = 'a b?c#d%/ü‮';
  expect(match(ROUTES, fill('/jobs/:id', { id }))?.params.id).toBe(id);
});

test('a query is changed in the parameters that are named only', () => {
  const query = new URLSearchParams('q=web&state=failed&sort=age');
  expect(withQuery(query, { state: ['completed', 'failed'], q: null }).toString()).toBe(
    'sort=age&state=completed&state=failed',
  );
  expect(withQuery(query, { q: '', state: [] }).toString()).toBe('sort=age');
});
