/**
 * One connection to the stream of events, with one token. It reconnects by itself, and reports when it is not live.
 */
import { waitBefore } from './backoff';
import type { Connection, StreamEvent, ToTab } from './messages';
import { SseParser, type ServerEvent } from './sse';

/** The service sends a sign of life every second. After this much silence the connection is taken as dead. */
export const SILENCE = 30_000;

/** Events are passed on in batches: a message per event would cost more than the event. */
const BATCH = 100;

export class Feed {
  connection: Connection = 'connecting';
  /** When the service was last heard. */
  heard: number | null = null;
  private lastId: string | null = null;
  private attempt = 0;
  private batch: StreamEvent[] = [];
  private flushing: ReturnType<typeof setTimeout> | undefined;
  private retrying: ReturnType<typeof setTimeout> | undefined;
  private reading: AbortController | null = null;

  constructor(
    private readonly api: string,
    private readonly token: string | null,
    private readonly tell: (message: ToTab) => void,
  ) {}

  start(): void {
    this.reading = new AbortController();
    void this.read(this.reading).then((outcome) => this.ended(outcome));
  }

  stop(): void {
    clearTimeout(this.retrying);
    clearTimeout(this.flushing);
    this.reading?.abort();
    this.reading = null;
  }

  /** Read until the connection ends. */
  private async read(reading: AbortController): Promise<'ended' | 'refused' | 'stopped'> {
    let silence = setTimeout(() => reading.abort('silent'), SILENCE);
    const alive = () => {
      clearTimeout(silence);
      silence = setTimeout(() => reading.abort('silent'), SILENCE);
      this.heard = Date.now();
    };
    try {
      const response = await this.connect(reading.signal);
      if (response.status === 401 || response.status === 403) return 'refused';
      if (!response.ok || !response.body) return 'ended';
      this.opened();
      await this.consume(response.body, alive);
      return 'ended';
    } catch (error) {
      // Connection lost, or aborted: both are ends, which `fetch` reports as these.
      if (error instanceof TypeError || error === 'silent' || error instanceof DOMException) {
        return this.reading === reading ? 'ended' : 'stopped';
      }
      throw error;
    } finally {
      clearTimeout(silence);
    }
  }

  private connect(signal: AbortSignal): Promise<Response> {
    const headers = new Headers({ Accept: 'text/event-stream' });
    if (this.token) headers.set('Authorization', `Bearer ${this.token}`);
    if (this.lastId) headers.set('Last-Event-ID', this.lastId);
    return fetch(new URL('events/stream', this.api), { headers, signal, cache: 'no-store' });
  }

  private async consume(body: ReadableStream<Uint8Array>, alive: () => void): Promise<void> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      alive();
      for (const event of parser.push(decoder.decode(piece.value, { stream: true }))) this.take(event);
    }
  }

  private opened(): void {
    const isFirst = this.heard === null;
    this.attempt = 0;
    this.heard = Date.now();
    this.become('live');
    // Without an id, the service sends new events only, and cannot tell whether the event log is the same.
    if (!this.lastId) this.tell({ kind: 'gap', mayBeReplaced: !isFirst });
  }

  private take(event: ServerEvent): void {
    if (event.id) this.lastId = event.id;
    if (event.type === 'reset') {
      this.flush();
      this.tell({ kind: 'gap', mayBeReplaced: true });
      return;
    }
    this.batch.push({ type: event.type, data: event.data });
    this.flushing ??= setTimeout(() => this.flush(), BATCH);
  }

  private flush(): void {
    clearTimeout(this.flushing);
    this.flushing = undefined;
    if (this.batch.length) this.tell({ kind: 'events', events: this.batch });
    this.batch = [];
  }

  private ended(outcome: 'ended' | 'refused' | 'stopped'): void {
    if (outcome === 'stopped' || !this.reading) return;
    this.flush();
    this.become(outcome === 'refused' ? 'refused' : 'lost');
    if (outcome === 'refused') return;
    this.retrying = setTimeout(() => this.start(), waitBefore(this.attempt++, Math.random()));
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this.tell({ kind: 'state', connection, heard: this.heard });
  }
}
