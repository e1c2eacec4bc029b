/** How answers and outcomes are shown: an icon, a colour and a word, never a colour alone. */
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark';
import CircleX from '@lucide/svelte/icons/circle-x';
import FileQuestionMark from '@lucide/svelte/icons/file-question-mark';
import Hourglass from '@lucide/svelte/icons/hourglass';
import MessageCircleOff from '@lucide/svelte/icons/message-circle-off';
import Play from '@lucide/svelte/icons/play';
import RotateCw from '@lucide/svelte/icons/rotate-cw';
import TimerOff from '@lucide/svelte/icons/timer-off';
import Unplug from '@lucide/svelte/icons/unplug';
import type { Component } from 'svelte';

export interface Shown {
  icon: Component<{ size?: number; 'aria-hidden'?: 'true' }>;
  tone: string;
  words: string;
}

const ANSWERS: Record<string, Shown> = {
  running: { icon: Play, tone: 'busy', words: 'running' },
  completed: { icon: CircleCheck, tone: 'good', words: 'completed' },
  failed: { icon: CircleX, tone: 'bad', words: 'failed' },
  not_found: { icon: CircleQuestionMark, tone: 'warn', words: 'not found' },
  unreachable: { icon: Unplug, tone: 'warn', words: 'unreachable' },
  unanswered: { icon: TimerOff, tone: 'warn', words: 'unanswered' },
  unintelligible: { icon: FileQuestionMark, tone: 'warn', words: 'unintelligible' },
  not_asked: { icon: MessageCircleOff, tone: 'warn', words: 'not asked' },
};

const OUTCOMES: Record<string, Shown> = {
  resume: { icon: Play, tone: 'busy', words: 'resume' },
  complete: { icon: CircleCheck, tone: 'good', words: 'complete' },
  fail: { icon: CircleX, tone: 'bad', words: 'fail' },
  retry: { icon: RotateCw, tone: 'warn', words: 'retry' },
};

const PENDING: Shown = { icon: Hourglass, tone: 'wait', words: 'no decision yet' };

/** Return how the VMA's answer is shown; a word of a later version as it is. */
export function answerShown(status: string): Shown {
  return ANSWERS[status] ?? { icon: CircleQuestionMark, tone: 'warn', words: status };
}

/** Return how an outcome is shown; null and the empty text are a job that is not decided. */
export function outcomeShown(outcome: string | null | undefined): Shown {
  return outcome ? (OUTCOMES[outcome] ?? { ...PENDING, words: outcome }) : PENDING;
}

/** Return `inferred (a guess)`: whoever reads a guess must see that it is one. */
export function basisInWords(basis: string | null): string {
  return basis === 'inferred' ? 'inferred (a guess)' : (basis ?? '');
}

export const CAUSES: Record<string, string> = {
  restart: 'after a restart',
  takeover: 'after a takeover',
  'contact-lost': 'after lost contact',
  stale: 'because polling was late',
  'retry-due': 'a retry was due',
  operator: 'an operator asked',
};
