import { autoTrack, type Automatic } from './auto-track.js';
import { createEye } from './index.js';
import type { Eye, EyeOptions } from './types.js';

const script = document.currentScript as HTMLScriptElement;
const source = new URL(script.src);
const { url, key, auto = 'pageviews', respect = '', category } = script.dataset;

const words = (text: string): string[] => text.split(/[\s,]+/);

// The text is the same for all keys, so that it has one integrity hash.
const eye = createEye({
  url: url ?? new URL('.', source).href,
  key: key ?? source.searchParams.get('key') ?? undefined,
  category,
  respect: words(respect) as EyeOptions['respect'],
});
(window as unknown as { eye: Eye }).eye = eye;
autoTrack(eye, words(auto) as Automatic[]);
