/** What an entry says of its items, in its first line. */
export interface EntryHeader {
  /** Number of its items. */
  readonly items: number;
  /** Milliseconds since 1970. */
  readonly acceptedAt: number;
  /** Whether a sender waits until they are stored. */
  readonly isAwaited: boolean;
  /** The `traceparent`s of requests whose items it holds. */
  readonly traces: readonly string[];
}

/** An element of the buffer: items that were accepted together. */
export interface Entry extends EntryHeader {
  /** Their JSON texts, separated by commas. */
  readonly text: string;
}

/** The scripts read the number of items, which stands first, and the time, which stands second. */
export function formatEntry({ items, acceptedAt, isAwaited, traces, text }: Entry): string {
  return `${[items, acceptedAt, isAwaited ? 1 : 0, ...traces].join(' ')}\n${text}`;
}

export function parseEntry(entry: string): Entry {
  const end = entry.indexOf('\n');
  const [items, acceptedAt, isAwaited, ...traces] = entry.slice(0, end).split(' ');
  return {
    items: Number(items),
    acceptedAt: Number(acceptedAt),
    isAwaited: isAwaited === '1',
    traces,
    text: entry.slice(end + 1),
  };
}

/** The text of the JSON array of all items of these entries. */
export const arrayOf = (entries: readonly Pick<Entry, 'text'>[]): string =>
  `[${entries.map(({ text }) => text).join(',')}]`;
