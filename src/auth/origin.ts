/** Whether a value is an origin as browsers send it: scheme, host, and the port unless it is the scheme's default. */
export function isOrigin(value: unknown): boolean {
  if (typeof value !== 'string' || !/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
  return new URL(value).origin === value;
}
