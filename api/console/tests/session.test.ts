import { expect, test } from 'vitest';
import { session } from '../src/lib/session.svelte';
import { json, serve } from './service';

test.each(['jr_a\u2019b', 'jr_a\nb'])('a token that no header can have, %j, is not accepted', async (token) => {
  const asked = serve(() => json({ name: 'mara', scope: 'read', tokens_required: true }));

  expect(await session.signIn(token, false)).toBe(false);

  expect([asked, session.token]).toEqual([[], null]);
});

test('an answer that is not of the service is told when the page starts', async () => {
  serve(() => new Response('<!doctype html>'));
  await expect(session.start()).rejects.toMatchObject({ name: 'ApiError', status: 0 });
});
