import { PeriodicTask } from '../../platform/async/periodic-task.js';
import type { RedisStream } from './redis-stream.js';
import { RingBuffer } from './ring-buffer.js';

const POLL_INTERVAL_MS = 100;

/** The interval while Redis is away. */
const RETRY_INTERVAL_MS = 500;

/** Reads the Redis stream into a ring buffer, once for all subscribers of a process. */
export class StreamReader {
  readonly buffer = new RingBuffer();
  /** False while Redis is away. */
  connected = false;
  private lastId = '0-0';
  private readonly polling = new PeriodicTask({
    name: 'read the stream of events',
    intervalMs: POLL_INTERVAL_MS,
    run: () => this.poll(),
  });

  /** @param onMessages is called when the buffer has new messages */
  private constructor(
    private readonly stream: RedisStream,
    private readonly onMessages: () => void,
  ) {}

  /**
   * Resolves when the buffer holds the whole stream.
   * @throws Error when Redis is away
   */
  static async open(stream: RedisStream, onMessages: () => void): Promise<StreamReader> {
    const reader = new StreamReader(stream, onMessages);
    await stream.announceSubscriber();
    await reader.readAll();
    reader.connected = true;
    reader.polling.start(POLL_INTERVAL_MS);
    return reader;
  }

  close(): void {
    void this.polling.stop();
  }

  /** @returns milliseconds until the next poll */
  private async poll(): Promise<number> {
    try {
      if (await this.readAll()) this.onMessages();
      this.connected = true;
      return POLL_INTERVAL_MS;
    } catch {
      this.connected = false;
      return RETRY_INTERVAL_MS;
    }
  }

  /** @returns whether there are new messages */
  private async readAll(): Promise<boolean> {
    const { end } = this.buffer;
    for (;;) {
      const { entries, complete } = await this.stream.read(this.lastId);
      if (!complete) this.buffer.addGap();
      this.buffer.add(entries);
      this.lastId = entries.at(-1)?.id ?? (complete ? this.lastId : '0-0');
      if (entries.length === 0) return this.buffer.end > end;
    }
  }
}
