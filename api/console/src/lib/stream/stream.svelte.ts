/** The live stream, as a tab sees it. Screens subscribe with `events`, and read everything again on `gap`. */
import { parseJson } from '../api/json';
import type { Schemas } from '../api/client';
import { API } from '../root';
import { session } from '../session.svelte';
import { SILENCE } from './feed';
import { Hub, PING } from './hub';
import type { Connection, FromTab, ToTab } from './messages';

export type Entry = Schemas['AuditEntry'];

export interface Subscriber {
  /** Events in the order of the log. */
  events(entries: Entry[]): void;
  /**
   * Events may have been missed: read the data again. Also called on the first connection. `mayBeReplaced`: the event log
   * may be another one, such as a restored backup: what was read before may not be in it.
   */
  gap(mayBeReplaced: boolean): void;
}

class Stream {
  connection = $state<Connection>('connecting');
  /** When the service was last heard, by the browser's clock. */
  heard = $state<number | null>(null);
  private readonly subscribers = new Set<Subscriber>();
  private send: (message: FromTab) => void = () => undefined;
  private told = 0;
  private lastHeard: number | null = null;
  /** Whether this tab may have missed events since it was opened: the event log may be another one by now. */
  private hasMissed = false;

  get isLive(): boolean {
    return this.connection === 'live';
  }

  /** Receive events from now on. Returns a function that ends it. */
  subscribe(subscriber: Subscriber): () => void {
    this.subscribers.add(subscriber);
    return () => this.subscribers.delete(subscriber);
  }

  /** Open the stream with the session's token. Returns a function that ends it. */
  start(): () => void {
    const token = session.token;
    this.heard = this.lastHeard = null;
    this.hasMissed = false;
    this.connect(token);
    const close = () => this.send({ kind: 'close' });
    // A page that the browser kept, and shows again, has missed events.
    const restore = (event: PageTransitionEvent) => event.persisted && this.reconnect(token);
    const watch = setInterval(() => this.watch(token), PING);
    window.addEventListener('pagehide', close);
    window.addEventListener('pageshow', restore);
    return () => {
      clearInterval(watch);
      window.removeEventListener('pagehide', close);
      window.removeEventListener('pageshow', restore);
      close();
    };
  }

  private reconnect(token: string | null): void {
    this.hasMissed = true;
    this.connect(token);
  }

  private connect(token: string | null): void {
    this.send({ kind: 'close' });
    this.told = Date.now();
    this.open('SharedWorker' in window ? this.shared(token) : this.own(), token);
  }

  private open(send: (message: FromTab) => void, token: string | null): void {
    this.send = send;
    send({ kind: 'open', api: API.href, token });
  }

  private shared(token: string | null): (message: FromTab) => void {
    const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'job-recovery' });
    worker.port.onmessage = ({ data }: MessageEvent<ToTab>) => this.receive(data);
    const send = (message: FromTab) => worker.port.postMessage(message);
    // Its script cannot be loaded, as from a service of another build.
    worker.onerror = () => this.send === send && this.open(this.own(), token);
    return send;
  }

  /** Without a shared worker, as in Chrome on Android, each tab has a stream of its own. */
  private own(): (message: FromTab) => void {
    const hub = new Hub();
    const port = { postMessage: (message: ToTab) => this.receive(message) };
    const timer = setInterval(() => hub.ping(), PING);
    return (message) => {
      if (message.kind === 'close') clearInterval(timer);
      hub.receive(port, message);
    };
  }

  /** A worker that was silent has crashed or was suspended: say so, and start it again. */
  private watch(token: string | null): void {
    if (Date.now() - this.told < SILENCE) return;
    this.connection = 'lost';
    this.reconnect(token);
  }

  private receive(message: ToTab): void {
    this.told = Date.now();
    if (message.kind === 'state') this.state(message.connection, message.heard);
    else if (message.kind === 'gap') this.gap(message.mayBeReplaced || this.hasMissed);
    else this.pass(message.events.map((event) => parseJson(event.data) as Entry));
  }

  private gap(mayBeReplaced: boolean): void {
    this.hasMissed = true;
    this.subscribers.forEach((one) => one.gap(mayBeReplaced));
  }

  private pass(entries: Entry[]): void {
    for (const one of this.subscribers) one.events(entries);
  }

  private state(connection: Connection, heard: number | null): void {
    this.connection = connection;
    // A stream that is opened again has not heard the service yet, but this tab has. Not read from `heard`: an effect
    // opens the stream, and would open it again with each change.
    this.lastHeard = heard ?? this.lastHeard;
    this.heard = this.lastHeard;
    this.send({ kind: 'pong' });
    if (connection === 'refused') session.refuse();
  }
}

export const stream = new Stream();
