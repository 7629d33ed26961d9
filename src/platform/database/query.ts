export { formatUtc, selectUtc } from './sql.js';
