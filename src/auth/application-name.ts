/** A name identifies an application in every event that it sends, so it never changes. */
export const APPLICATION_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
