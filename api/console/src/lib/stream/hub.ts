/** Fans the stream out to tabs: one connection for each token, for as long as a tab wants it. */
import { Feed } from './feed';
import type { FromTab, ToTab } from './messages';

/** What the hub needs of a port. */
export interface Port {
  postMessage(message: ToTab): void;
}

/** How often tabs are told the state, which each answers, in milliseconds. */
export const PING = 5_000;

/** A tab that has not answered for this long is dropped: one that crashed cannot say that it closes. */
const DEAD_AFTER = 120_000;

interface Tab {
  key: string;
  seen: number;
}

interface Source {
  feed: Feed;
  ports: Set<Port>;
}

export class Hub {
  private readonly tabs = new Map<Port, Tab>();
  /** Weak, because ports of closed tabs are never heard of again. */
  private readonly opened = new WeakMap<Port, { api: string; token: string | null }>();
  private readonly sources = new Map<string, Source>();

  constructor(private readonly now: () => number = Date.now) {}

  receive(port: Port, message: FromTab): void {
    if (message.kind === 'close') this.close(port);
    else if (message.kind === 'open') this.open(port, message.api, message.token);
    else this.pong(port);
  }

  /** Tell every tab the state, and drop those that have not answered for long. */
  ping(): void {
    for (const [port, tab] of this.tabs) {
      if (this.now() - tab.seen > DEAD_AFTER) this.drop(port);
      else this.tellState(port, tab.key);
    }
  }

  private open(port: Port, api: string, token: string | null): void {
    this.drop(port);
    const key = JSON.stringify([api, token]);
    this.opened.set(port, { api, token });
    this.tabs.set(port, { key, seen: this.now() });
    const source = this.sources.get(key) ?? this.start(key, api, token);
    source.ports.add(port);
    this.tellState(port, key);
    if (source.feed.connection === 'live') port.postMessage({ kind: 'gap', mayBeReplaced: false });
  }

  /** A tab that was frozen for so long that it was dropped is taken again, and told that it missed events. */
  private pong(port: Port): void {
    const tab = this.tabs.get(port);
    const was = this.opened.get(port);
    if (tab) tab.seen = this.now();
    else if (was) this.open(port, was.api, was.token);
  }

  private close(port: Port): void {
    this.drop(port);
    this.opened.delete(port);
  }

  private drop(port: Port): void {
    const tab = this.tabs.get(port);
    const source = tab && this.sources.get(tab.key);
    this.tabs.delete(port);
    source?.ports.delete(port);
    if (!tab || !source || source.ports.size) return;
    source.feed.stop();
    this.sources.delete(tab.key);
  }

  private start(key: string, api: string, token: string | null): Source {
    const ports = new Set<Port>();
    const feed = new Feed(api, token, (message) => ports.forEach((port) => port.postMessage(message)));
    const source = { feed, ports };
    this.sources.set(key, source);
    feed.start();
    return source;
  }

  private tellState(port: Port, key: string): void {
    const feed = this.sources.get(key)?.feed;
    if (feed) port.postMessage({ kind: 'state', connection: feed.connection, heard: feed.heard });
  }
}
