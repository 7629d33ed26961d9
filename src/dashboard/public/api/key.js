/**
 * The key that the viewer typed, for as long as this tab is open: in the session storage, which no address, no other
 * tab and no log ever sees.
 */
const NAME = 'the-eye.key';

/** @type {string | null} */
let key = read();

/** @returns {string | null} */
export function currentKey() {
  return key;
}

/** @param {string | null} value */
export function keepKey(value) {
  key = value;
  try {
    if (value === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, value);
  } catch {
    // Storage may be forbidden; then the key lives until the page is loaded anew.
  }
}

function read() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
}
