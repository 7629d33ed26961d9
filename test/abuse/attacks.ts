import type { Attack } from './attack.js';
import { ADMINISTRATION } from './attacks/administration.js';
import { BODIES } from './attacks/bodies.js';
import { CONNECTIONS } from './attacks/connections.js';
import { QUESTIONS } from './attacks/questions.js';

/** Every attack of `npm run test:abuse`. */
export const ATTACKS: readonly Attack[] = [...BODIES, ...CONNECTIONS, ...QUESTIONS, ...ADMINISTRATION];
