import { eventually, type TheEye } from '../../testing/the-eye.js';

export interface Message {
  id: string | undefined;
  event: string;
  data: any;
}

/** A subscriber of `GET /events/stream`, with the messages it received. */
export class StreamSubscriber {
  readonly messages: Message[] = [];
  /** Number of heartbeats. */
  heartbeats = 0;
  /** The last id received with a message or a heartbeat: the value of Last-Event-ID to resume from. */
  lastEventId: string | undefined;
  ended = false;
  private buffer = '';

  private constructor(
    readonly response: Response,
    private readonly abort: AbortController,
  ) {}

  /** Rejects with the response unless its status is 200. */
  static async open(
    eye: TheEye,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<StreamSubscriber> {
    const abort = new AbortController();
    const response = await fetch(`${eye.url}/events/stream${query}`, { headers, signal: abort.signal });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const subscriber = new StreamSubscriber(response, abort);
    void subscriber.read();
    return subscriber;
  }

  /** The received events, without their stream ids. */
  get events(): any[] {
    return this.messages.filter(({ event }) => event === 'event').map(({ data }) => data);
  }

  /** Number of events that The Eye reported as skipped. */
  get skipped(): number {
    return this.messages
      .filter(({ event }) => event === 'skipped')
      .reduce((sum, { data }) => sum + data.count, 0);
  }

  /** Resolves once exactly the events of these sessions have arrived, in this order. */
  async receives(...sessions: string[]): Promise<void> {
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
        const blocks = (this.buffer + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n');
        this.buffer = blocks.pop() ?? '';
        for (const block of blocks) this.parse(block);
      }
    } catch {
      // The connection was closed by this client or by The Eye.
    }
    this.ended = true;
  }

  private parse(block: string): void {
    const lines = block.split('\n').map((line) => /^(\w*): ?([^]*)$/.exec(line)?.slice(1) ?? []);
    const fields = Object.fromEntries(lines) as Record<string, string>;
    const { id, event, data } = fields;
    if (fields[''] === 'alive') this.heartbeats++;
    this.lastEventId = id ?? this.lastEventId;
    if (event !== undefined) this.messages.push({ id, event, data: JSON.parse(data ?? '') });
  }
}
