import * as echarts from 'echarts';

/** Colours that are readable on white and on black. */
export const COLOURS = {
  limit: '#8a94a0',
  nest: '#e08a1e',
  accepted: '#3a86d8',
  stored: '#2a9d6f',
  node: '#2a9d6f',
  redis: '#d1495b',
  postgres: '#3a86d8',
  insert: '#8f6bc9',
  clickhouse: '#e0b01e',
  small: '#9ec5f0',
  medium: '#3a86d8',
} as const;

/** Each colour on white, and its replacement in dark mode. */
const THEME_COLOURS = {
  background: ['#ffffff', '#0d1117'],
  text: ['#24292f', '#e6edf3'],
  label: ['#57606a', '#9da7b1'],
  line: ['#d8dee4', '#30363d'],
  area: ['#f3f5f8', '#161b22'],
} as const;

export const themeColour = (part: keyof typeof THEME_COLOURS): string => THEME_COLOURS[part][0];

/** Pixels for names beside horizontal bars. Without a canvas, echarts only estimates the widths of texts. */
export const LABEL_WIDTH = 270;

const FONT = 'Helvetica, Arial, sans-serif';

const axis = {
  axisLine: { lineStyle: { color: themeColour('line') } },
  axisTick: { show: false },
  axisLabel: { color: themeColour('label'), fontSize: 13 },
  nameTextStyle: { color: themeColour('label'), fontSize: 13 },
  splitLine: { lineStyle: { color: themeColour('line') } },
};

const THEME = {
  backgroundColor: themeColour('background'),
  textStyle: { fontFamily: FONT },
  title: { textStyle: { color: themeColour('text'), fontSize: 16 }, left: 16, top: 14 },
  legend: {
    textStyle: { color: themeColour('text'), fontSize: 13 },
    icon: 'roundRect',
    itemGap: 48,
    top: 44,
    left: 12,
  },
  categoryAxis: axis,
  valueAxis: axis,
  bar: { label: { color: themeColour('text'), fontSize: 11 } },
};

export interface Plot {
  /** Name of the file, without its extension. */
  name: string;
  height: number;
  option: echarts.EChartsOption;
}

const WIDTH = 880;

/** An SVG that follows the reader's colour scheme. */
export function render({ height, option }: Plot): string {
  const chart = echarts.init(null, THEME, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg.replace('>', `>\n<style>@media (prefers-color-scheme: dark) { ${darkRules()} }</style>`);
}

/** Rules of a style sheet take precedence over the attributes of an element. */
function darkRules(): string {
  return Object.values(THEME_COLOURS)
    .flatMap(([light, dark]) => ['fill', 'stroke'].map((what) => `[${what}="${light}"] { ${what}: ${dark} }`))
    .join(' ');
}
