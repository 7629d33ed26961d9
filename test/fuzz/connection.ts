import { connect, type Socket } from 'node:net';

/** A raw HTTP response. */
export interface HttpResponse {
  status: number;
  /** By lower-case name; the last one wins. */
  headers: Map<string, string>;
  body: Buffer;
  /** Whether the connection cannot be reused. */
  closes: boolean;
}

/** Limit for a chunked response that does not end. */
const MAX_CHUNKED_BYTES = 64 * 1024 * 1024;

/** Bytes of an export that are read before the connection is closed: at the end of a long run, one has hundreds of megabytes. */
const MAX_EXPORT_BYTES = 1024 * 1024;

/** Time to read an event stream before closing it. */
const SSE_READ_MS = 300;

/** Thrown if the received bytes are not a complete HTTP response in time. */
export class InvalidResponse extends Error {}

/**
 * An HTTP/1.1 connection that sends arbitrary bytes and reads the responses. The HTTP clients for Node refuse to send
 * malformed requests.
 */
export class Connection {
  /** Whether it has had a request before. */
  isReused = false;
  private received = Buffer.alloc(0);
  private ended = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
      this.wake();
    });
    // The 'close' event follows. A missing response is reported by `exchange`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.removeAllListeners('error');
    return new Connection(socket);
  }

  get isUsable(): boolean {
    return !this.ended && this.received.length === 0;
  }

  close(): void {
    this.ended = true;
    this.socket.destroy();
  }

  /**
   * Sends bytes and reads one response per method, or fewer if the connection closes earlier.
   * @throws InvalidResponse if the bytes are not HTTP, or if a response is not complete within `timeoutMs`
   */
  async exchange(bytes: Buffer, methods: string[], timeoutMs: number): Promise<HttpResponse[]> {
    const end = Date.now() + timeoutMs;
    const responses: HttpResponse[] = [];
    this.isReused = true;
    this.socket.write(bytes);
    for (const method of methods) {
      const response = await this.readResponse(method, end);
      if (response) responses.push(response);
      if (!response || response.closes) break;
    }
    return responses;
  }

  private async readResponse(method: string, end: number): Promise<HttpResponse | undefined> {
    let head: number;
    while ((head = this.received.indexOf('\r\n\r\n')) < 0) {
      if (!(await this.waitForMore(end))) {
        if (this.received.length > 0)
          throw new InvalidResponse(`The response is truncated: ${this.received.toString('latin1')}`);
        return undefined;
      }
    }
    const [first = '', ...lines] = this.received.subarray(0, head).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1] ?? NaN);
    if (Number.isNaN(status)) throw new InvalidResponse(`Not an HTTP status line: ${first}`);
    const headers = new Map(
      lines.map((line): [string, string] => {
        const [, name = '', value = ''] = /^([!-9;-~]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
        if (name === '') throw new InvalidResponse(`Not a header: ${line}`);
        return [name.toLowerCase(), value];
      }),
    );
    this.received = this.received.subarray(head + 4);
    if (status < 200) return this.readResponse(method, end);
    const closes = headers.get('connection')?.toLowerCase() === 'close';
    if (headers.get('content-type')?.startsWith('text/event-stream') && method !== 'HEAD') {
      await this.readSse();
      return { status, headers, body: this.received, closes: true };
    }
    const body = await this.readBody(method, status, headers, end);
    return { status, headers, body, closes: closes || this.ended };
  }

  private async readBody(
    method: string,
    status: number,
    headers: Map<string, string>,
    end: number,
  ): Promise<Buffer> {
    if (method === 'HEAD' || status === 204 || status === 304) return Buffer.alloc(0);
    if (headers.get('transfer-encoding') === 'chunked')
      return this.readChunks(end, headers.get('content-disposition') !== undefined);
    const length = headers.get('content-length');
    if (length !== undefined) return this.readBytes(Number(length), end);
    const isExport = headers.get('content-disposition') !== undefined;
    while (!(isExport && this.received.length > MAX_EXPORT_BYTES) && (await this.waitForMore(end)));
    if (!this.ended) this.close();
    return this.readBytes(this.received.length, end);
  }

  private async readChunks(end: number, isExport: boolean): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let size = 0; size < MAX_CHUNKED_BYTES;) {
      if (isExport && size > MAX_EXPORT_BYTES) {
        this.close();
        return Buffer.concat(parts);
      }
      let line: number;
      while ((line = this.received.indexOf('\r\n')) < 0)
        if (!(await this.waitForMore(end))) throw new InvalidResponse('A chunk is truncated.');
      const length = parseInt(this.received.subarray(0, line).toString('latin1'), 16);
      if (Number.isNaN(length)) throw new InvalidResponse('Not a chunk size.');
      this.received = this.received.subarray(line + 2);
      const part = await this.readBytes(length + 2, end);
      if (length === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, length));
      size += length;
    }
    throw new InvalidResponse('The response does not end.');
  }

  private async readBytes(length: number, end: number): Promise<Buffer> {
    while (this.received.length < length)
      if (!(await this.waitForMore(end)))
        throw new InvalidResponse(`The body is truncated: ${this.received.length} of ${length} bytes.`);
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }

  /** Waits for more bytes. Resolves with false if the connection has ended. */
  private async waitForMore(end: number): Promise<boolean> {
    if (this.ended) return false;
    const before = this.received.length;
    const left = end - Date.now();
    if (left <= 0) throw new InvalidResponse('timed out');
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => undefined;
    return this.received.length > before || !this.ended || Date.now() >= end;
  }

  private async readSse(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, SSE_READ_MS));
    this.close();
  }
}
