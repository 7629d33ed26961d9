/** The name of the key in the session storage, which lasts as long as the tab and is not shared with other tabs. */
const NAME = 'the-eye.key';

/** @type {string | null} */
let key = read();

/** @returns {string | null} */
export function currentKey() {
  return key;
}

/** @param {string | null} value */
export function storeKey(value) {
  key = value;
  try {
    if (value === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, value);
  } catch {
    // Storage may be forbidden. Then the key is lost when the page is reloaded.
  }
}

function read() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
}
