import type { ContenderResult, AcceptResults, IdleResults, RoundResult } from '../accept/accept.js';
import { KINDS } from '../accept/contenders.js';
import { MEASURED } from '../support/processes.js';
import { medianAndSpread, table } from '../../testing/table.js';

/** Describes the content of a request. */
export function requestOf({ kind, events, isNdjson, perSecond }: ContenderResult): string {
  if (perSecond !== undefined) return `one event, ${perSecond} a second`;
  if (events === 1) return 'one event';
  if (kind === 'segment') return `batch of ${events.toLocaleString('en')}`;
  return isNdjson ? `NDJSON of ${events.toLocaleString('en')}` : `array of ${events.toLocaleString('en')}`;
}

const SPEED_KEYS = ['accepted', 'stored', 'p50', 'p99', 'p999'] as const;
const SPEED_HEAD = ['accepted, events/s', 'stored, events/s', 'p50, ms', 'p99, ms', 'p99.9, ms'];

const CPU_KEYS = [...MEASURED, 'load'] as const;
const CPU_HEAD = ['Node', 'Redis', 'PostgreSQL', 'ClickHouse', 'load generator'];

const speedCells = ({ rounds }: ContenderResult): string[] =>
  SPEED_KEYS.map((key) => medianAndSpread(rounds.map((round) => round[key])));

const cpuCells = ({ rounds }: ContenderResult): string[] =>
  CPU_KEYS.map((key) => medianAndSpread(rounds.map((round: RoundResult) => round.cpu[key])));

export function acceptSection(
  { duration, contenders, idle }: AcceptResults,
  plot: (name: string) => string,
): string {
  const rounds = contenders[0]?.rounds.length ?? 0;
  const singles = contenders.filter(({ events, perSecond }) => events === 1 && perSecond === undefined);
  const many = contenders.filter(({ events }) => events > 1);
  const method =
    rounds > 1
      ? `${rounds} rounds of ${duration} s; medians (lowest to highest)`
      : `One round of ${duration} s`;
  const imports = contenders.some(({ isNdjson }) => isNdjson) ? '; the import takes as long as it needs' : '';
  return `## Accepting

${method}${imports}. *Accepted* is the rate of events with a \`202\` response. *Stored* is the rate from the first request until the
last event is in PostgreSQL.${refusedRequests(contenders)}

### One event per request

${plot('singles')}

${table(
  ['contender', 'connections', ...SPEED_HEAD],
  singles.map((each) => [KINDS[each.kind], String(each.connections), ...speedCells(each)]),
)}

### Many events per request

${plot('requests')}

${table(
  ['contender', 'request', 'connections', ...SPEED_HEAD],
  many.map((each) => [KINDS[each.kind], requestOf(each), String(each.connections), ...speedCells(each)]),
)}

### CPU time per event

${plot('cpu')}

Microseconds per event until it is stored and copied to ClickHouse, all threads together:

${table(
  ['contender', 'request', 'connections', ...CPU_HEAD],
  contenders.map((each) => [KINDS[each.kind], requestOf(each), String(each.connections), ...cpuCells(each)]),
)}
${idleSection(idle)}`;
}

const AFTER_WORK = ` The short form measures it while V8 still collects the garbage of the work before, which takes more than a minute:
see [where the time goes](benchmarks/profile.md).`;

function idleSection({ duration, rounds }: IdleResults): string {
  return `
### Idle

CPU time of an Eye that has stored events and gets no more, over ${duration} s, in thousandths of one core.${duration < 60 ? AFTER_WORK : ''}

${table(
  MEASURED.map((_, index) => CPU_HEAD[index] as string),
  [MEASURED.map((part) => medianAndSpread(rounds.map((cpu) => cpu[part])))],
)}
`;
}

/** Large arrays are processed one at a time. One that would wait too long gets a `503` response. */
function refusedRequests(contenders: ContenderResult[]): string {
  const refused = contenders.filter(({ rounds }) => rounds.some((round) => round.refused > 0));
  if (refused.length === 0) return '';
  const each = refused.map(
    (one) =>
      `${KINDS[one.kind]}, ${requestOf(one)}, ${one.connections} connections: ` +
      medianAndSpread(one.rounds.map((round) => round.refused)),
  );
  return (
    ` Requests per round that got a \`503\` response and are not counted (arrays are sent again after \`Retry-After\`): ` +
    `${each.join('; ')}.`
  );
}
