import fc from 'fast-check';

/** Finds the good items of a request again among the stored events. */
export const MARKER = /neighbour-[\da-f]{8}-[\da-f-]{27}/g;

/** Not made smaller with the requests, so that it stays unique. */
export const marker = fc.noShrink(fc.uuid().map((id) => `neighbour-${id}`));
