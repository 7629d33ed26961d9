import { ASKERS, type TogetherResults } from '../ask/together.js';
import type { AskResults, Cost, SizeResult } from '../ask/ask.js';
import { median } from '../../testing/statistics.js';
import { formatNumber, medianAndSpread, table } from '../../testing/table.js';
import { sizeOf } from './lists-section.js';

const MEBIBYTE = 2 ** 20;

export function askSection({ requests, sizes }: AskResults, plot: (name: string) => string): string {
  return `## Questions to ClickHouse

Events like those of the demo, spread over a year, in sessions of twelve: three applications, nine types. ClickHouse is filled directly, by
as large inserts as those of the copier. Each question is asked ${requests} times with other values, or for a minute, one at a time, over HTTP. _By hand_ is the
same question as one statement of SQL on the same table, sent to the same engine by somebody who knows the table: it has no checks, no
comparison with an earlier range (\`top\`), no times to convert (funnel), no count (pages), and looks at one day for its sessions. _CPU_
is the time of all threads of ClickHouse's process per question; it depends
less than the clock on what else the machine does. _Refused_ are requests that needed more memory or time than a statement may use.

${sizes.map((size) => sizeSection(size, plot)).join('\n\n')}
`;
}

function sizeSection(size: SizeResult, plot: (name: string) => string): string {
  const { events, bytes, idleMemory, peakMemory, questions, together } = size;
  const cells = ({ latency, failed, cpu }: Cost): string[] => [
    `${formatNumber(latency.p50)} / ${formatNumber(latency.p99)}${failed === 0 ? '' : ` (${failed} refused)`}`,
    formatNumber(cpu),
  ];
  const largest = [
    ...bytes.columns,
    ...bytes.projections.map(({ name, bytes }) => ({ name: `projection ${name}`, bytes })),
  ];
  return `### ${sizeOf(events)} events

${plot(plotOf(size))}

${table(
  [
    'question',
    'requests',
    'aim, ms',
    'The Eye, p50 / p99, ms',
    'CPU, ms',
    'by hand, p50 / p99, ms',
    'CPU, ms',
    'p50: The Eye / by hand',
  ],
  questions.map(({ name, requests, aim, eye, byHand }) => [
    name,
    formatNumber(requests),
    aim === undefined ? '' : formatNumber(aim),
    ...cells(eye),
    ...cells(byHand),
    formatNumber(eye.latency.p50 / byHand.latency.p50),
  ]),
)}

An event takes ${formatNumber(bytes.total)} bytes of ClickHouse's disk in all (aim: 60): ${largest
    .filter((part) => part.bytes >= 0.1)
    .sort((a, b) => b.bytes - a.bytes)
    .map((part) => `\`${part.name}\` ${formatNumber(part.bytes)}`)
    .join(
      ', ',
    )}. The process of ClickHouse has ${formatNumber(idleMemory / MEBIBYTE)} MiB of resident memory before the first question (aim: 300),
and ${formatNumber(peakMemory / MEBIBYTE)} MiB at most (aim: 600).

${togetherText(together)}`;
}

function togetherText({
  allAnswered,
  displacement,
  failed,
  rounds,
  answered,
  latency,
}: TogetherResults): string {
  return `**${ASKERS} questions at once** (top values of a property in a month): all are answered within ${formatNumber(allAnswered)} ms, none more than
${displacement} places later than it was asked. While ${ASKERS} askers ask again and again, one event per request from 64 connections is accepted at
${formatNumber(median(rounds.map(({ asked, alone }) => asked / alone)))} of the rate without questions (aim: 0.9): ${medianAndSpread(rounds.map(({ asked }) => asked))} instead of
${medianAndSpread(rounds.map(({ alone }) => alone))} events per second. Meanwhile ${answered.toLocaleString('en')} questions were answered, with their time in the queue in ${formatNumber(latency.p50)} / ${formatNumber(latency.p99)} ms
(p50 / p99). ${failed.toLocaleString('en')} of all were refused, because they needed more time or memory than they may use (aim: none).`;
}

export const plotOf = ({ events }: SizeResult): string => `ask-${events / 1_000_000}-million`;
