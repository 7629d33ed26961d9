import { benchAccept } from './accept.js';
import { benchAsk } from './ask.js';
import { machine } from './machine.js';

/*
 * npm run bench [-- [accept] [ask] [quick]]
 *
 * The Eye beside its physical limits, as tables of Markdown. The load generator shares the machine with what it measures.
 */

const words = process.argv.slice(2);
const quick = words.includes('quick');
const all = !words.includes('accept') && !words.includes('ask');

console.log(`${machine()}\n`);
if (all || words.includes('accept')) await benchAccept(quick);
if (all || words.includes('ask')) await benchAsk(quick);
