import { parseArgs } from 'node:util';
import { type Finding, fuzz, type Report } from './fuzz.js';

/*
 * npm run test:fuzz [-- --requests 100000 --seed 1 --path 12:0]
 *
 * Generates requests from the OpenAPI document and sends them to two Eyes of its own. Exits with 1 if a response violates
 * the document or an invariant. A seed with a path repeats one request.
 */

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() & 0x7fff_ffff) },
    path: { type: 'string' },
    senders: { type: 'string', default: '32' },
  },
});

console.log(`seed ${values.seed}`);
const startedAt = Date.now();
const report = await fuzz({
  requests: Number(values.requests),
  seeds: [Number(values.seed)],
  senders: Number(values.senders),
  ...(values.path !== undefined && { path: values.path }),
  onFinding: printFinding,
});
printReport(report, (Date.now() - startedAt) / 1000);
process.exitCode = report.findings.length > 0 ? 1 : 0;

function printFinding({ signature, detail, requests, seed, path }: Finding): void {
  console.log(`\n# ${signature}\n${detail}\n${requests}`);
  if (path !== '') console.log(`# repeat: npm run test:fuzz -- --seed=${seed} --path=${path}`);
}

function printReport(
  { findings, requests, retries, statuses, events, memory }: Report,
  seconds: number,
): void {
  console.log(
    `\n${requests} requests in ${Math.round(seconds)} s, ${events} events acknowledged, ${findings.length} findings`,
  );
  console.log(`${retries} retries`);
  const megabytes = (bytes: number): number => Math.round(bytes / 1024 ** 2);
  console.log(`peak memory: open ${megabytes(memory.open)} MiB, guarded ${megabytes(memory.guarded)} MiB\n`);
  for (const [route, counts] of [...statuses].sort()) {
    const formatted = [...counts].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    console.log(`${route.padEnd(50)} ${formatted.join('  ')}`);
  }
}
