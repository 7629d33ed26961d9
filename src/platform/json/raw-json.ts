/** JSON text that goes into a response as it is: parsing and formatting it again would only cost time. */
export class RawJson {
  constructor(readonly text: string) {}
}

/** Formats an object, whose members may be RawJson. */
export function stringifyRow(row: object): string {
  const members = Object.entries(row).map(([name, value]: [string, unknown]) =>
    value === undefined
      ? undefined
      : `${JSON.stringify(name)}:${value instanceof RawJson ? value.text : JSON.stringify(value)}`,
  );
  return `{${members.filter((member) => member !== undefined).join(',')}}`;
}

/** Formats an array of such objects. */
export const stringifyRows = (rows: readonly object[]): string => `[${rows.map(stringifyRow).join(',')}]`;
