import { withBoundedNumbers, withTypedForms } from './typed-form.js';

describe('withBoundedNumbers()', () => {
  it.each([
    ['{"a": 18446744073709551615, "b": -9223372036854775808}', undefined],
    ['{"a": "123456789012345678901234567890"}', undefined],
    ['{"1234567890123456789012": {"\\"1234567890123456789012": 1}}', undefined],
    ['{"a": 0.12345678901234567890123}', '{"a": 1.2345678901234568e-1}'],
    ['{"a": 18446744073709551616}', '{"a": 1.8446744073709552e+19}'],
    ['{"a": [-12345678901234567890123456789]}', '{"a": [-1.2345678901234568e+28]}'],
    [`{"a": 1${'0'.repeat(400)}}`, `{"a": ${Number.MAX_VALUE}}`],
    [`{"a": -1${'0'.repeat(400)}}`, `{"a": -${Number.MAX_VALUE}}`],
  ])('%s', (json, expected = json) => expect(withBoundedNumbers(json)).toBe(expected));
});

describe('withTypedForms()', () => {
  it('changes only the events whose numbers ClickHouse refuses', () => {
    const [plain, text] = [
      JSON.stringify({ id: '1', data_text: '{"a": 1}' }),
      JSON.stringify({ id: '12345678901234567890', data_text: '{}' }),
    ];
    const large = JSON.stringify({ id: '3', data_text: '{"a": 12345678901234567890123}' });
    expect(withTypedForms(`${plain}\n${text}\n`)).toBe(`${plain}\n${text}\n`);
    const [first, second, third] = withTypedForms(`${plain}\n${text}\n${large}\n`).split('\n');
    expect([first, second]).toEqual([plain, text]);
    expect(JSON.parse(third ?? '')).toEqual({
      id: '3',
      data_text: '{"a": 12345678901234567890123}',
      typed: '{"a": 1.2345678901234568e+22}',
    });
  });
});
