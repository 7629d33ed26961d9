/** What a process does: `all`, `api` (accepts and answers) or `worker` (stores). */
export const ROLES = ['all', 'api', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** True for a process that answers requests about events. */
export const servesApi = (role: Role): boolean => role !== 'worker';

/** True for a process that stores events. */
export const runsWorker = (role: Role): boolean => role !== 'api';
