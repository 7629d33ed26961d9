import Sequencer from '@jest/test-sequencer';

/** The projects with the longest specs come first. Short specs at the end keep all workers busy until the last one is done. */
const ORDER = ['faults', 'outages', 'cli', 'browser', 'api', 'unit'];

/** Jest sorts by the durations of the last run, which a fresh clone does not have, and then by the sizes of the files. */
export default class extends Sequencer {
  /**
   * @override
   * @param {Parameters<Sequencer['sort']>[0]} tests
   */
  async sort(tests) {
    const sorted = await super.sort(tests);
    /** @param {(typeof sorted)[number]} test */
    const place = ({ context }) => ORDER.indexOf(context.config.displayName?.name ?? '');
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
