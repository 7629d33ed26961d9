import { addressOf, fetchJson, ApiError } from '../api/client.js';
import { storeKey } from '../api/key.js';
import { el } from './dom.js';

/**
 * Asks for a key, and tests it before storing it.
 * @param {() => void} done
 */
export function login(done) {
  const input = el('input', {
    id: 'key',
    type: 'password',
    required: true,
    autocomplete: 'off',
    placeholder: 'eye_read_…',
    'aria-describedby': 'key-why',
  });
  const wrong = el('p', { class: 'wrong', role: 'alert' });
  const button = el('button', { type: 'submit', class: 'primary' }, 'Log in');
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const key = input.value.trim();
    button.disabled = true;
    wrong.textContent = '';
    try {
      await tryKey(key);
      storeKey(key);
      done();
    } catch (error) {
      wrong.textContent = error instanceof Error ? error.message : String(error);
      input.select();
    } finally {
      button.disabled = false;
    }
  };
  return el(
    'form',
    // Never submitted: the handler reads the input, and the content security policy forbids form actions.
    { class: 'panel login', method: 'post', onsubmit: submit },
    el('h1', { tabindex: -1 }, 'The Eye requires a key'),
    el(
      'p',
      { id: 'key-why', class: 'muted' },
      'A key with the scope read is enough. It is stored in this tab only, and never appears in an address.',
    ),
    el('label', { for: 'key' }, 'Key'),
    input,
    button,
    wrong,
    el('p', { class: 'muted' }, 'To create a key, run this on the server:'),
    el('pre', { tabindex: 0 }, 'npm run applications -- create data-team --scope read'),
  );
}

/**
 * @param {string} key
 * @throws Error that says why the key is not accepted
 */
async function tryKey(key) {
  // Other characters cannot be sent in a header.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Error('This is not a key: it contains invalid characters.');
  try {
    await fetchJson(addressOf('/events/', { page_size: 1 }), { key });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) throw new Error('This key is unknown, or it was revoked.', { cause: error });
    if (error.status === 403)
      throw new Error('This key has no read access. Use a key with the scope read.', { cause: error });
    throw error;
  }
}
