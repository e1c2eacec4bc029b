/** What tabs and the worker that holds the stream tell each other. */

/** An event of the stream as text: each tab parses it, which keeps the worker quick. */
export interface StreamEvent {
  type: string;
  data: string;
}

/** `refused`: the token is not accepted. `lost`: what is shown is of `heard`. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused';

export type FromTab =
  | { kind: 'open'; api: string; token: string | null }
  | { kind: 'pong' }
  | { kind: 'close' };

/**
 * `gap`: events may have been missed, so the data must be read again; `mayBeReplaced`: what was read before may not be
 * in the event log. `heard`: the last sign of life, in milliseconds.
 */
export type ToTab =
  | { kind: 'events'; events: StreamEvent[] }
  | { kind: 'state'; connection: Connection; heard: number | null }
  | { kind: 'gap'; mayBeReplaced: boolean };
