import { ClickHouseQuestions } from './questions.js';

describe('ClickHouseQuestions', () => {
  it('leaves half of the connections to others, however heavy the questions of one key are', async () => {
    const questions = new ClickHouseQuestions(2);
    const asked: string[] = [];
    const ends: (() => void)[] = [];
    const ask = (keyId: string): Promise<void> => {
      const read = (): Promise<void> => {
        asked.push(keyId);
        return new Promise((resolve) => ends.push(resolve));
      };
      return questions.ask({ keyId }, read, { isHeavy: true });
    };
    const answers = ['greedy', 'greedy', 'other'].map(ask);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual(['greedy', 'other']);
    for (let answered = 0; answered < answers.length; answered++) {
      ends[answered]?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(answers);
    expect(asked).toEqual(['greedy', 'other', 'greedy']);
  });
});
