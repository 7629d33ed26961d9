/** What a process does: `all`, `api` (serves requests) or `worker` (stores events). */
export const ROLES = ['all', 'api', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** True for a process that serves the API. */
export const servesApi = (role: Role): boolean => role !== 'worker';

/** True for a process that stores events. */
export const runsWorker = (role: Role): boolean => role !== 'api';
