/** The scheme and the rest of an origin or of a pattern of origins. */
const SCHEME = /^(https?:\/\/)(.*)$/;

/** A domain of at least two labels, and perhaps a port. */
const TWO_LABELS = /^(?:[a-z\d_-]+\.)+[a-z\d_-]+(?::\d+)?$/;

/**
 * Parses an `Origin` header (RFC 6454).
 * @returns the origin as browsers write it: in lower case and without the default port. Undefined for `null`, for anything
 *   with a path, and for other schemes than HTTP
 */
export function parseOrigin(text: string): string | undefined {
  if (!/^https?:\/\/[^\s/?#\\@,*]+$/i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text).origin;
}

/**
 * Whether a key may list a value: an origin as browsers send it, or a pattern such as `https://*.shop.example` for every
 * sub-domain at any depth, which needs two labels behind the `*`.
 */
export function isOriginPattern(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [, scheme = '', host = ''] = SCHEME.exec(value) ?? [];
  if (!host.startsWith('*.')) return parseOrigin(value) === value;
  const domain = host.slice(2);
  // As a sub-domain, since an address has none.
  const example = `${scheme}a.${domain}`;
  return TWO_LABELS.test(domain) && parseOrigin(example) === example;
}

/** Origins and patterns of origins. A look-up costs one hash for each label of the host, however many there are. */
export class OriginSet {
  private readonly entries: ReadonlySet<string>;

  /** @param entries for which isOriginPattern() is true */
  constructor(entries: readonly string[]) {
    this.entries = new Set(entries);
  }

  /** @param origin of parseOrigin() */
  has(origin: string): boolean {
    if (this.entries.size === 0) return false;
    if (this.entries.has(origin)) return true;
    const [, scheme = '', host = ''] = SCHEME.exec(origin) ?? [];
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1))
      if (this.entries.has(`${scheme}*${host.slice(dot)}`)) return true;
    return false;
  }
}
