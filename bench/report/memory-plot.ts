import type { MemoryResults } from '../memory/memory.js';
import { PHASES } from '../memory/memory-sampler.js';
import { COLOURS, themeColour, type Plot } from './plot.js';

const LINES = [
  ['The Eye', 'eye', COLOURS.node],
  ['Redis', 'redis', COLOURS.redis],
  ['PostgreSQL', 'postgres', COLOURS.postgres],
] as const;

/** Space above the lines for the names of the phases. */
const LABEL_HEADROOM = 1.15;

/** Memory of each process over the time of the imports. */
export function memoryPlot({ samples, phases }: MemoryResults): Plot {
  const areas = {
    silent: true,
    itemStyle: { color: themeColour('area') },
    label: { color: themeColour('label'), fontSize: 13, position: 'insideTop' as const },
    data: phases.map(
      ({ name, from, to }, index) =>
        [
          { name: PHASES[name], xAxis: from, ...(index % 2 === 1 && { itemStyle: { opacity: 0 } }) },
          { xAxis: to },
        ] as [object, object],
    ),
  };
  return {
    name: 'memory',
    height: 400,
    option: {
      title: { text: 'Resident memory in MiB, over the seconds of the run' },
      legend: {},
      grid: { left: 64, right: 24, top: 88, bottom: 36 },
      xAxis: { type: 'value', max: Math.ceil(samples.at(-1)?.seconds ?? 0), splitLine: { show: false } },
      yAxis: { type: 'value', max: ({ max }) => Math.ceil((max * LABEL_HEADROOM) / 100) * 100 },
      series: LINES.map(([name, process, color], index) => ({
        name,
        type: 'line' as const,
        color,
        showSymbol: false,
        lineStyle: { width: 2 },
        data: samples.map((sample) => [sample.seconds, Math.round(sample[process] / 2 ** 20)]),
        ...(index === 0 && { markArea: areas }),
      })),
    },
  };
}
