/** A statement has something that is not permitted. The message names it, and what to use instead where there is something. */
export class NotPermittedError extends Error {}

/** @param what e.g. "The table function `url`" */
export const notPermitted = (what: string, instead = ''): NotPermittedError =>
  new NotPermittedError(`${what} is not permitted${instead === '' ? '' : `: ${instead}`}.`);
