import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { quoted } from '../src/screens/job/shell';

test.each(['job-1', 'a b', "it's", '$(id)', '`id`', '"; rm -rf /', 'a&b|c>d', "'", '-x', '*', '~', '!1', 'ü‮', '\\'])(
  'a shell reads %s as it is',
  (word) => expect(execFileSync('sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' })).toBe(word),
);
