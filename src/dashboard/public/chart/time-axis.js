import { partsOf } from '../page/format.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Labels of a time axis, as precise as its steps: `09:15:30`, `09:15`, `25 Nov`, `Nov 2026`, `2026`.
 * @param {unknown} _plot
 * @param {number[]} splits seconds since 1970
 * @param {number} _axis
 * @param {number} _space
 * @param {number} step seconds between two labels
 */
export function timeLabels(_plot, splits, _axis, _space, step) {
  return splits.map((seconds) => {
    const { date, hour, minute, second } = partsOf(seconds * 1000);
    const [year, month, day] = date.split('-');
    const name = MONTHS[Number(month) - 1];
    if (step < 60) return `${hour}:${minute}:${second}`;
    if (step < 86_400)
      return hour === '00' && minute === '00' ? `${Number(day)} ${name}` : `${hour}:${minute}`;
    if (step < 86_400 * 28) return `${Number(day)} ${name}`;
    return step < 86_400 * 360 ? `${name} ${year}` : year;
  });
}
