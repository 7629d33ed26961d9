import { tsImport } from 'tsx/esm/api';

export default async function globalTeardown() {
  const { endRun } = await tsImport('./test-run.ts', import.meta.url);
  await endRun();
}
