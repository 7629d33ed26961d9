import { addressOf, ask, AskError } from '../api/client.js';
import { keepKey } from '../api/key.js';
import { el } from './dom.js';

/**
 * Asks for a key, and tries it before it is kept.
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
      keepKey(key);
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
    // Never sent: it is read above, and the policy of the page forbids forms to go anywhere.
    { class: 'panel login', method: 'post', onsubmit: submit },
    el('h1', { tabindex: -1 }, 'This Eye asks for a key'),
    el(
      'p',
      { id: 'key-why', class: 'muted' },
      'One of scope read is enough. It stays in this tab, and ends up in no address.',
    ),
    el('label', { for: 'key' }, 'Key'),
    input,
    button,
    wrong,
    el('p', { class: 'muted' }, 'You have none? On the machine of The Eye:'),
    el('pre', { tabindex: 0 }, 'npm run applications -- create data-team --scope read'),
  );
}

/**
 * @param {string} key
 * @throws Error that says what is wrong with it
 */
async function tryKey(key) {
  // What is no text of a header cannot even be sent.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new Error('This is not a key: it holds other characters than keys do.');
  try {
    await ask(addressOf('/events/', { page_size: 1 }), { key });
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    if (error.status === 401)
      throw new Error('This key is not known here, or it was revoked.', { cause: error });
    if (error.status === 403)
      throw new Error('This key may not read: it takes one of scope read.', { cause: error });
    throw error;
  }
}
