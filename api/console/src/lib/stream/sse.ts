/** Parser of server-sent events, by the WHATWG's rules, for a stream that is read by `fetch`. */

export interface ServerEvent {
  /** Null if the event has none: the last id then remains. */
  id: string | null;
  type: string;
  data: string;
}

/** Takes the text of a stream piece by piece. A line may be split anywhere, also between CR and LF. */
export class SseParser {
  private rest = '';
  private id: string | null = null;
  private type = '';
  private data: string[] = [];

  /** Return the events that are complete with this piece. */
  push(piece: string): ServerEvent[] {
    const text = this.rest + piece;
    // A CR at the end may be followed by an LF in the next piece.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + text.slice(end);
    return lines.flatMap((line) => this.line(line) ?? []);
  }

  private line(line: string): ServerEvent | null {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    // A line that begins with a colon is a comment, which only shows that the connection is alive.
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.type = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    return null;
  }

  private dispatch(): ServerEvent | null {
    const event = { id: this.id, type: this.type || 'message', data: this.data.join('\n') };
    const isEmpty = this.data.length === 0;
    this.id = null;
    this.type = '';
    this.data = [];
    return isEmpty ? null : event;
  }
}
