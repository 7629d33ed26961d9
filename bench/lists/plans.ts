import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { TheEye } from '../../testing/the-eye.js';
import type { Queries } from './queries.js';

const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_timing': 'off',
};

/** Time until the plan of an executed statement is in the log. */
const LOG_DELAY_MS = 300;

/** Reads from PostgreSQL's log the plans of the statements that the API executed. */
export async function explain(eye: TheEye, queries: Queries): Promise<string> {
  // PostgreSQL accepts the settings of auto_explain only once the library is loaded.
  await eye.sqlAsSuperuser(`LOAD 'auto_explain'`);
  for (const [name, value] of Object.entries(SETTINGS))
    await eye.sqlAsSuperuser(`ALTER DATABASE the_eye SET ${name} = '${value}'`);
  await eye.end();
  await eye.start();
  const log = join(eye.dataDir, 'supervisor.log');
  const plans: string[] = [];
  for (const [name, question] of queries) {
    const before = (await readFile(log)).length;
    await eye.get(question());
    await wait(LOG_DELAY_MS);
    plans.push(`${name}\n${extractPlans((await readFile(log)).subarray(before).toString())}`);
  }
  return plans.join('\n\n');
}

/** Selects the plans that read events. The log also contains statements of background jobs. */
function extractPlans(log: string): string {
  return log
    .split(/^.*duration: .*plan:$/m)
    .filter((plan) => plan.includes(' on events '))
    .flatMap((plan) => plan.split('\n').filter((line) => /Scan|Limit|Sort|Buffers|Index Cond/.test(line)))
    .map((line) => line.replace(/^\S+ PostgreSQL: (\d+ )?/, ''))
    .join('\n');
}
