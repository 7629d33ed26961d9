import { request } from 'node:http';

const NDJSON = { 'content-type': 'application/x-ndjson' };

/** Sends a body to POST /events in chunks of `size` bytes, without its length. The headers make it NDJSON unless they are others. */
export function postInChunks(
  url: string,
  bytes: Buffer,
  size: number,
  headers: Record<string, string> = NDJSON,
): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const sending = request(`${url}/events/`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sending.on('error', reject);
    for (let start = 0; start < bytes.length; start += size)
      sending.write(bytes.subarray(start, start + size));
    sending.end();
  });
}
