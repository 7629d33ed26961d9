import fc from 'fast-check';
import { corrupt } from '../bodies.js';
import type { Schema } from '../document.js';
import { nearlyValid, peculiarJson, stringify } from '../values.js';
import type { DialectRequest } from './dialect-fuzzer.js';
import { marker } from './markers.js';

/** How a protocol puts items into a body of JSON. */
export interface JsonProtocol {
  /** Content types that its clients send. */
  readonly types: readonly string[];
  /** What an item may hold. Most items are nearly so. */
  readonly item: Schema;
  /** A good item: the same for the same marker, which stands somewhere in it and is kept in `data`. It has an id and a time. */
  readonly neighbour: (marker: string) => unknown;
  /** A valid body around items. */
  readonly envelope: (items: readonly unknown[]) => unknown;
  /** Further bodies around items, which need not be valid. */
  readonly oddEnvelopes?: readonly ((items: readonly unknown[]) => unknown)[];
  /** Items of a request. */
  readonly maxItems?: number;
}

interface Items {
  readonly items: unknown[];
  readonly neighbours: string[];
}

/** Requests whose bodies hold good items among others, and bodies that are damaged. */
export function jsonRequests(protocol: JsonProtocol): fc.Arbitrary<DialectRequest> {
  const { types, envelope, oddEnvelopes = [] } = protocol;
  const items = itemsOf(protocol);
  const type = fc.constantFrom(...types);
  const whole = fc.tuple(items, type).map(([{ items: all, neighbours }, mediaType]): DialectRequest => {
    const text = stringify(envelope(all));
    const isValid = isJson(text);
    return request(mediaType, Buffer.from(text), isValid ? neighbours : [], isValid);
  });
  const odd = fc
    .tuple(items, type, fc.constantFrom(...oddEnvelopes, envelope))
    .map(([{ items: all }, mediaType, around]) => request(mediaType, Buffer.from(stringify(around(all)))));
  const corrupted = fc
    .tuple(corrupt(items.map(({ items: all }) => stringify(envelope(all)))), type)
    .map(([bytes, mediaType]) => request(mediaType, bytes));
  const anything = fc
    .tuple(peculiarJson, type)
    .map(([value, mediaType]) => request(mediaType, Buffer.from(stringify(value))));
  return fc.oneof(
    { arbitrary: whole, weight: 12 },
    { arbitrary: odd, weight: 2 },
    { arbitrary: corrupted, weight: 3 },
    { arbitrary: anything, weight: 1 },
  );
}

function itemsOf({ item, neighbour, maxItems = 6 }: JsonProtocol): fc.Arbitrary<Items> {
  const good = marker.map((text) => ({ value: neighbour(text), marker: text }));
  const other = fc
    .oneof({ arbitrary: nearlyValid(item), weight: 6 }, peculiarJson)
    .map((value) => ({ value, marker: undefined }));
  return fc.array(fc.oneof(good, { arbitrary: other, weight: 2 }), { maxLength: maxItems }).map((all) => ({
    items: all.map(({ value }) => value),
    neighbours: all.flatMap((each) => each.marker ?? []),
  }));
}

/** For an operation that takes none. */
export const WITHOUT_BODY: DialectRequest = {
  query: [],
  headers: [],
  body: undefined,
  neighbours: [],
  isValid: false,
};

const request = (
  type: string,
  bytes: Buffer,
  neighbours: readonly string[] = [],
  isValid = false,
): DialectRequest => ({ query: [], headers: [], body: { type, bytes }, neighbours, isValid });

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
