/**
 * Reading of an exported run: the file of `job-recovery replay --export`, and the answer of `GET …/export`, which are
 * the same. One line of JSON per event; the first line has their number, so that a truncated file is noticed.
 */
import { FileProblem, fieldsOf, inner, number, text } from './fields';
import { type Replay, ReplayBuilder } from './replay';

const FORMAT = 'job-recovery-run/1';
/** The longest line has the ids of all jobs of a run. */
const MAX_LINE = 16_000_000;

/** Return the run of a file. Throws a FileProblem that names the line. */
export async function readRun(file: ReadableStream<Uint8Array>, progress?: (share: number) => void): Promise<Replay> {
  const lines = new Lines(progress);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = file.getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      lines.push(decoded(decoder, piece.value));
    }
    lines.push(decoded(decoder));
  } catch (error) {
    void reader.cancel();
    throw error;
  }
  return lines.end();
}

class Lines {
  private rest = '';
  private read = 0;
  private expected = 0;
  private readonly builder = new ReplayBuilder();

  constructor(private readonly progress: (share: number) => void = () => undefined) {}

  push(piece: string): void {
    let from = 0;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', from)) {
      this.take(this.rest + piece.slice(from, at));
      this.rest = '';
      from = at + 1;
    }
    this.rest += piece.slice(from);
    if (this.rest.length > MAX_LINE) throw new FileProblem(`line ${this.read + 1} is too long: this is no exported run`);
    if (this.expected) this.progress((this.read - 1) / this.expected);
  }

  end(): Replay {
    if (this.rest) this.take(this.rest);
    const events = Math.max(0, this.read - 1);
    if (!this.read) throw new FileProblem('the file is empty');
    if (events !== this.expected) {
      throw new FileProblem(`the file has ${events} of the ${this.expected} events of its run: export it again`);
    }
    return this.builder.build();
  }

  private take(line: string): void {
    this.read += 1;
    if (this.read === 1) return this.head(line);
    try {
      // What is drawn has no integer above 2^53, and the browser's own parser is ten times as fast.
      const parsed = fieldsOf(JSON.parse(line), 'the line');
      this.builder.add(text(parsed, 'type'), inner(parsed, 'event'));
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof FileProblem) {
        throw new FileProblem(`line ${this.read} of the file cannot be read: ${error.message}`);
      }
      throw error;
    }
  }

  private head(line: string): void {
    try {
      const head = fieldsOf(JSON.parse(line), 'the line');
      if (head.format === FORMAT) {
        this.expected = number(head, 'events');
        return;
      }
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof FileProblem)) throw error;
    }
    throw new FileProblem(`line 1: this is not an exported run (format ${FORMAT})`);
  }
}

function decoded(decoder: TextDecoder, piece?: Uint8Array): string {
  try {
    return decoder.decode(piece, { stream: piece !== undefined });
  } catch (error) {
    if (error instanceof TypeError) throw new FileProblem('the file is not a text: this is no exported run');
    throw error;
  }
}
