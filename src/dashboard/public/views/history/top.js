import { addressOf } from '../../api/client.js';
import { el } from '../../page/dom.js';
import { pick } from '../../page/filters.js';
import { panel } from '../../page/panel.js';
import { ranking } from '../../page/ranking.js';
import { changed } from '../../page/router.js';
import { FILTERS } from './event-filters.js';

/** @typedef {import('../../api/shapes.js').Top} Top */

/**
 * The most frequent applications, categories, names and types. A click filters by one of them.
 * @param {import('../../page/panel.js').Screen} screen
 * @param {() => Promise<import('../../page/range.js').Range>} range
 */
export function topPanel(screen, range) {
  const { route } = screen;
  return panel(screen, {
    title: 'Most frequent',
    address: async () => {
      const { from, to } = await range();
      return addressOf('/statistics/top/', {
        ...pick(route, FILTERS),
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        limit: 10,
      });
    },
    show: (/** @type {Top} */ { total, applications, categories, names, types }) => {
      const rankingOf = (
        /** @type {string} */ title,
        /** @type {import('../../api/shapes.js').Ranked[]} */ ranked,
      ) =>
        ranking(
          title,
          total,
          ranked.map(({ application, category, name, count }) => ({
            label: [application, category, name].filter((part) => part !== undefined).join(' · '),
            count,
            href: changed(route, {
              ...(application !== undefined && { application }),
              ...(category !== undefined && { category }),
              ...(name !== undefined && { name }),
            }),
          })),
        );
      return el(
        'div',
        { class: 'rankings' },
        rankingOf('Types', types),
        rankingOf('Categories', categories),
        rankingOf('Names', names),
        rankingOf('Applications', applications),
      );
    },
  });
}
