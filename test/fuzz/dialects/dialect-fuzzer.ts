import type fc from 'fast-check';
import type { Body } from '../bodies.js';
import type { HttpResponse } from '../connection.js';
import type { Operation } from '../document.js';

/** What a dialect has to say about a request to one of its operations. The rest is generated as for every operation. */
export interface DialectRequest {
  readonly query: [name: string, text: string][];
  readonly headers: [name: string, value: string][];
  readonly body: Body | undefined;
  /** Markers of the good items, each of which must be stored exactly once after a 200. */
  readonly neighbours: readonly string[];
  /** Whether the request must succeed, whatever its items are. False if that is not certain. */
  readonly isValid: boolean;
}

/** Generates requests in the protocol of a dialect, and knows the form of its errors. */
export interface DialectFuzzer {
  /** As in the tag of its operations, `send: <name>`. */
  readonly name: string;
  readonly requestFor: (operation: Operation) => fc.Arbitrary<DialectRequest>;
  /** Whether a response of 400 and above has the form of the protocol. */
  readonly isError: (response: HttpResponse) => boolean;
}
