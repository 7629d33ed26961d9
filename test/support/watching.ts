import { eventually, type TheEye } from '../../testing/the-eye.js';

export interface Message {
  id: string | undefined;
  event: string;
  data: any;
}

/** Somebody who watches `GET /events/stream`, and what he was sent. */
export class Watching {
  readonly messages: Message[] = [];
  /** Heartbeats. */
  beats = 0;
  /** The last identifier, whatever it came with: from where to go on. */
  place: string | undefined;
  ended = false;
  private rest = '';

  private constructor(
    readonly response: Response,
    private readonly abort: AbortController,
  ) {}

  /** Rejects with the answer where there is no stream. */
  static async open(eye: TheEye, query = '', headers: Record<string, string> = {}): Promise<Watching> {
    const abort = new AbortController();
    const response = await fetch(`${eye.url}/events/stream${query}`, { headers, signal: abort.signal });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const watching = new Watching(response, abort);
    void watching.read();
    return watching;
  }

  /** The events that were shown, without their place in the stream. */
  get events(): any[] {
    return this.messages.filter(({ event }) => event === 'event').map(({ data }) => data);
  }

  /** How many he was told he missed. */
  get skipped(): number {
    return this.messages
      .filter(({ event }) => event === 'skipped')
      .reduce((sum, { data }) => sum + data.count, 0);
  }

  /** Resolves once the events of these sessions have come, in this order. */
  async saw(...sessions: string[]): Promise<void> {
    await eventually(() => {
      expect(this.events.map(({ session_id }) => session_id)).toEqual(sessions);
      return Promise.resolve();
    });
  }

  close(): void {
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body ?? []) {
        const blocks = (this.rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n');
        this.rest = blocks.pop() ?? '';
        for (const block of blocks) this.take(block);
      }
    } catch {
      // Cut off, by us or by The Eye.
    }
    this.ended = true;
  }

  private take(block: string): void {
    const lines = block.split('\n').map((line) => /^(\w*): ?([^]*)$/.exec(line)?.slice(1) ?? []);
    const fields = Object.fromEntries(lines) as Record<string, string>;
    const { id, event, data } = fields;
    if (fields[''] === 'alive') this.beats++;
    this.place = id ?? this.place;
    if (event !== undefined) this.messages.push({ id, event, data: JSON.parse(data ?? '') });
  }
}
