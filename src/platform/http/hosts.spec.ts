import { hostEvaluator, hostName } from './hosts.js';

describe('hostName()', () => {
  it.each([
    ['localhost', 'localhost'],
    ['Eye.Example.:8000', 'eye.example'],
    ['my_host:1', 'my_host'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[FD00::1]:8000', 'fd00::1'],
  ])('reads %s', (host, name) => {
    expect(hostName(host)).toBe(name);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a,b',
    'a:b',
    'a:',
    'a:70000',
    'u@a',
    '%61',
    '[::1',
    '[a]',
    '::1',
    'a/b',
    '.',
    '-',
    'é',
  ])('knows no host in %j', (host) => {
    expect(hostName(host)).toBeUndefined();
  });
});

describe('hostEvaluator()', () => {
  const evaluate = hostEvaluator(['eye.internal', 'Eye.Example', '*.eye.example']);

  it.each([
    'localhost',
    'a.localhost:8000',
    '127.0.0.2:8000',
    '10.0.0.1',
    '[::1]:8000',
    'eye.internal',
    'EYE.example:443',
    'a.eye.example',
    'a.b.eye.example.',
  ])('knows %s', (host) => {
    expect(evaluate(host)).toBe('known');
  });

  it.each(['attacker.example:8000', 'll', 'evillocalhost', 'noteye.example', 'eye.example.attacker.example'])(
    'does not know %s',
    (host) => {
      expect(evaluate(host)).toBe('unknown');
    },
  );

  it('finds no host in an invalid text', () => {
    expect(evaluate('a b')).toBe('invalid');
  });
});
