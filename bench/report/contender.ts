import type { AcceptResults, ContenderResult, RoundResult } from '../accept/accept.js';
import type { Kind } from '../accept/contenders.js';

/** A contender under a load. */
export interface Selected {
  kind: Kind;
  connections: number;
  /** Of a request; one by default. */
  events?: number;
  perSecond?: number;
}

/** The results of a contender; undefined if it was not measured. */
export function findContender(
  { contenders }: AcceptResults,
  { kind, connections, events = 1, perSecond }: Selected,
): ContenderResult | undefined {
  return contenders.find(
    (each) =>
      each.kind === kind &&
      each.connections === connections &&
      each.events === events &&
      each.perSecond === perSecond &&
      !each.isNdjson,
  );
}

/** Microseconds per event. Includes what Node and PostgreSQL do to copy the event. */
export const cpuWithoutClickHouse = ({ cpu }: RoundResult): number => cpu.node + cpu.redis + cpu.postgres;
