import { describe, expect, it } from '@jest/globals'
import { readOptions, UsageError } from './options.js'

const read = (line: string, env = {}) => readOptions(line.split(' '), env)

describe('the options of feed-check', () => {
  it('are its own up to --, and the consumer’s command after it', () => {
    expect(read('--brokers a:1,b:2 --stale-after 3 -- node x.ts --json {brokers}')).toEqual({
      kafka: { clientId: 'feed-check', brokers: ['a:1', 'b:2'] },
      command: ['node', 'x.ts', '--json', '{brokers}'],
      probe: undefined,
      patience: { staleAfter: 3, within: 20 },
      json: false,
    })
  })

  it('log in as the environment says', () => {
    const env = { KAFKA_USERNAME: 'us', KAFKA_PASSWORD: 'secret', KAFKA_TLS: 'on' }
    expect(read('--brokers a:1 -- x', env).kafka).toMatchObject({
      sasl: { mechanism: 'scram-sha-512', username: 'us', password: 'secret' },
      tls: true,
    })
  })

  it.each([
    ['-- x', /^Say where Kafka is: --brokers LIST\.$/],
    ['--brokers a:1', /^Say which consumer: -- COMMAND, --probe URL, or both\.$/],
    ['--brokers a:1 --probe http://x', /has to know the topic: say --prefix TEXT\.$/],
    ['--brokers a:1 --prefix p. --probe x', /^--probe must be a URL, not “x”\.$/],
    [
      '--brokers a:1 --within 0 -- x',
      /^--within must be a whole number of seconds from 1 to 9999, not “0”\.$/,
    ],
    ['--brokers a:1 --nothing -- x', /--nothing/],
  ])('%s is refused in a sentence', (line, says) => {
    expect(() => read(line)).toThrow(UsageError)
    expect(() => read(line)).toThrow(says)
  })
})
