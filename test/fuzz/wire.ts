import { randomBytes } from 'node:crypto';
import type { Body } from './bodies.js';
import type { KnownRecords } from './known-records.js';
import type { Draft, Edit, Framing } from './requests.js';

/** A request as bytes. */
export interface Wire {
  draft: Draft;
  method: string;
  /** The request target of the request line. */
  target: string;
  /** The final path parameters. */
  parameters: Record<string, string>;
  bytes: Buffer;
  /** Whether it may be invalid HTTP, or its body may differ from the draft. */
  tampered: boolean;
}

export interface WireContext {
  /** `host:port` of each Eye. */
  hosts: Record<Draft['eye'], string>;
  keys: Record<'ingest' | 'read' | 'admin' | 'dialect', string>;
  known: KnownRecords;
}

/** Converts a draft to bytes. */
export function toWire(draft: Draft, { hosts, keys, known }: WireContext): Wire {
  const { operation, body, framing, headEdits } = draft;
  const row = draft.known && known.row(operation, draft.known.nth, draft.known.own);
  const parameters = Object.fromEntries(
    Object.entries(draft.path).map(([name, drafted]) => {
      const text = scalarText(row?.[name]) ?? drafted;
      return [name, known.isProtected(operation, text) ? `not-${text}` : text];
    }),
  );
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    percentEncode(parameters[name] ?? ''),
  );
  const query = new Map(
    draft.query.map(([name, text], index) => [`${index} ${name}`, [name, text] as const]),
  );
  if (row)
    for (const { name, in: place } of operation.parameters) {
      const text = scalarText(row[name]);
      if (place === 'query' && text !== undefined) query.set(`row ${name}`, [name, text]);
    }
  const key = selectKey(draft, keys, known);
  const isRow = (name: string): boolean => query.has(`row ${name}`);
  const pairs = [...query]
    .filter(([place, [name]]) => place.startsWith('row ') || !isRow(name))
    .map(([, [name, text]]) => `${percentEncode(name)}=${percentEncode(text)}`);
  if (key !== undefined && draft.authMethod === 'query') pairs.push(`key=${percentEncode(key)}`);
  const { suffix } = draft;
  const target = `${path}${suffix}${pairs.length > 0 ? `${suffix.includes('?') ? '&' : '?'}${pairs.join('&')}` : ''}`;
  const method = draft.method ?? operation.method;
  const headers: [string, string][] = [
    ...hostHeaders(draft.host, hosts[draft.eye]),
    ...credentials(key, draft.authMethod),
    ...draft.headers,
  ];
  if (body?.type !== undefined) headers.push(['content-type', body.type]);
  const content = body && sentBytes(body);
  if (body?.encoded?.coding !== undefined) headers.push(['content-encoding', body.encoded.coding]);
  if (content) headers.push(framingHeader(content, framing));
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = Buffer.from(`${method} ${target} HTTP/${draft.version}\r\n${lines}\r\n`, 'latin1');
  return {
    draft,
    method,
    target,
    parameters,
    bytes: Buffer.concat([applyEdits(head, headEdits), ...(content ? [frameBody(content, framing)] : [])]),
    tampered:
      headEdits.length > 0 || (body !== undefined && (framing.kind === 'short' || framing.kind === 'long')),
  };
}

const sentBytes = ({ bytes, encoded }: Body): Buffer => encoded?.bytes ?? bytes;

function selectKey({ key }: Draft, keys: WireContext['keys'], known: KnownRecords): string | undefined {
  switch (key) {
    case 'none':
      return undefined;
    case 'unknown':
      return `eye_ingest_${randomBytes(32).toString('base64url')}`;
    case 'malformed':
      return 'eye_admin_';
    case 'known':
      return known.latestKey();
    case 'ingest':
    case 'read':
    case 'admin':
    case 'dialect':
      return keys[key];
  }
}

function hostHeaders(host: Draft['host'], own: string): [string, string][] {
  if (host === 'missing') return [];
  const text = host === 'own' || host === 'twice' ? own : host === 'empty' ? '' : host;
  return Array.from({ length: host === 'twice' ? 2 : 1 }, () => ['host', text]);
}

function credentials(key: string | undefined, authMethod: Draft['authMethod']): [string, string][] {
  if (key === undefined) return [];
  switch (authMethod) {
    case 'bearer':
      return [['authorization', `Bearer ${key}`]];
    case 'basic':
      return [['authorization', `Basic ${btoa(`${key}:`)}`]];
    case 'x-api-key':
      return [['x-api-key', key]];
    case 'query':
      return [];
  }
}

/** The text of a string or a number, undefined for other values. */
function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** Percent-encodes a text. Encodes a lone surrogate as CESU-8 does. */
function percentEncode(text: string): string {
  return Array.from(text, (character) => {
    if (character.isWellFormed()) return encodeURIComponent(character);
    const code = character.charCodeAt(0);
    return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)]
      .map((byte) => `%${byte.toString(16).toUpperCase()}`)
      .join('');
  }).join('');
}

function framingHeader({ length }: Buffer, { kind }: Framing): [string, string] {
  if (kind === 'chunked') return ['transfer-encoding', 'chunked'];
  const declared = { length, short: Math.max(length - 1, 0), long: length + 1 }[kind];
  return ['content-length', String(declared)];
}

function frameBody(bytes: Buffer, framing: Framing): Buffer {
  if (framing.kind !== 'chunked') return bytes;
  const parts: Buffer[] = [];
  let at = 0;
  for (const size of framing.sizes) {
    if (at < bytes.length) parts.push(encodeChunk(bytes.subarray(at, at + size)));
    at += size;
  }
  if (at < bytes.length) parts.push(encodeChunk(bytes.subarray(at)));
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

const encodeChunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

function applyEdits(bytes: Buffer, edits: Edit[]): Buffer {
  return edits.reduce((before, { place, drop, insert }) => {
    const at = Math.floor(place * before.length);
    return Buffer.concat([before.subarray(0, at), insert, before.subarray(at + drop)]);
  }, bytes);
}

/** A shell command that sends the same requests: curl if possible, otherwise the raw bytes. */
export function formatReproduction(wires: Wire[], { hosts }: WireContext): string {
  const [first] = wires;
  if (first === undefined) return '';
  const host = hosts[first.draft.eye];
  const { body, framing, headers } = first.draft;
  const isPlain =
    wires.length === 1 &&
    first.draft.host === 'own' &&
    first.draft.version === '1.1' &&
    !first.tampered &&
    (body === undefined || sentBytes(body).length < 4000);
  if (!isPlain) {
    const bytes = Buffer.concat(wires.map((each) => each.bytes));
    const text =
      bytes.length < 8000
        ? bytes.toString('base64')
        : `(${bytes.length} bytes) ${bytes.toString('base64', 0, 600)}…`;
    return `base64 -d <<< ${text} | nc ${host.replace(':', ' ')}\n# ${wires.map(({ method, target }) => `${method} ${target}`).join('; ')}`;
  }
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const words = ['curl', '--path-as-is', '-X', first.method, quote(`http://${host}${first.target}`)];
  const shown = [...headers];
  if (body?.type !== undefined) shown.push(['content-type', body.type]);
  if (body?.encoded?.coding !== undefined) shown.push(['content-encoding', body.encoded.coding]);
  if (framing.kind === 'chunked') shown.push(['transfer-encoding', 'chunked']);
  for (const [name, value] of shown) words.push('-H', quote(`${name}: ${value}`));
  if (first.draft.key !== 'none')
    words.push(
      '-H',
      quote(`authorization: Bearer <a key: ${first.draft.key}, as ${first.draft.authMethod}>`),
    );
  if (!body) return words.join(' ');
  return `base64 -d <<< ${sentBytes(body).toString('base64')} | ${words.join(' ')} --data-binary @-\n# ${body.bytes.toString('utf8').slice(0, 400)}`;
}
