import { endToEnd, run } from './jest.config.js';

/** The specs of `npm run test:outages`: servers and processes that are killed, frozen and cut off. */
export default { ...run, projects: [endToEnd('outages')] };
