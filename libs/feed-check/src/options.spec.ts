import { describe, expect, it } from '@jest/globals'
import { readOptions, UsageError } from './options.js'

const read = (line: string, env = {}) => readOptions(line.split(' '), env)

describe('the options of feed-check', () => {
  it('are its own up to --, and the consumer’s command after it', () => {
    expect(read('--brokers a:1,b:2 --stale-after 3 -- node x.ts --json {brokers}')).toEqual({
      feed: { kafka: { clientId: 'feed-check', brokers: ['a:1', 'b:2'] } },
      command: ['node', 'x.ts', '--json', '{brokers}'],
      probe: undefined,
      patience: { staleAfter: 3, within: 20 },
      json: false,
    })
  })

  it('log in as the environment says', () => {
    const env = { KAFKA_USERNAME: 'us', KAFKA_PASSWORD: 'secret', KAFKA_TLS: 'on' }
    expect(read('--brokers a:1 -- x', env).feed).toMatchObject({
      kafka: { sasl: { mechanism: 'scram-sha-512', username: 'us', password: 'secret' }, tls: true },
    })
  })

  it('play the feed over HTTP, at a port that whoever is started elsewhere knows', () => {
    expect(read('--http 0 -- x').feed).toEqual({ http: { port: 0, tokenFile: undefined } })
    expect(read('--http 8080 --token-file t --probe http://x').feed).toEqual({
      http: { port: 8080, tokenFile: 't' },
    })
  })

  it.each([
    ['-- x', /^Say where the feed is to be played: --brokers LIST, or --http PORT\.$/],
    ['--brokers a:1 --http 0 -- x', /^Say where the feed is to be played/],
    ['--http 70000 -- x', /^--http must be a port from 0 to 65535, not “70000”\.$/],
    ['--http 0 --token-file t --probe http://x', /has to know the feed: say --http PORT, not 0/],
    ['--http 8080 --probe http://x', /and --token-file FILE\.$/],
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
