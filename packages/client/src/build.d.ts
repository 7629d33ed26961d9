/**
 * Whether the code is built into the script of `GET /eye.js`, which leaves out what only applications that import the client
 * can use. A constant of build.js, so that what is left out takes no byte.
 */
declare const IS_SCRIPT: boolean;
