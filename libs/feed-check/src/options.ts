import { parseArgs } from 'node:util'
import type { KafkaOptions } from '@grantlog/eventing'
import type { HttpFeedOptions } from './http-feed.js'
import type { Patience } from './stage.js'

/** A mistake in how the program was called, in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Options {
  /** Where the feed is played: on Kafka, or over HTTP. */
  readonly feed: { readonly kafka: KafkaOptions } | { readonly http: HttpFeedOptions }
  readonly command: readonly string[]
  readonly probe: string | undefined
  readonly patience: Patience
  readonly json: boolean
}

export const help = `Usage: feed-check --brokers LIST [options] -- COMMAND …
       feed-check --brokers LIST --prefix TEXT --probe URL [options]
       feed-check --http PORT [--token-file FILE] [options] [--probe URL] [-- COMMAND …]

Plays the feed of revocations to your consumer, and says what it does wrong.
Rules: docs/how-to/consume-revocations.md.

  --brokers LIST     host:port, separated by commas: a Kafka where topics may be created. How it is reached:
                     KAFKA_USERNAME, KAFKA_PASSWORD (SCRAM-SHA-512), KAFKA_TLS=on
  --prefix TEXT      stands before the topic’s name. The topic is created, and deleted at the end
  --http PORT        plays it over HTTP instead: http://127.0.0.1:PORT/revocations; 0 with a command: any free port
  --token-file FILE  where the access token is written that your consumer sends; needed with --probe alone
  -- COMMAND …       starts your consumer; {brokers} and {prefix}, or {url} and {tokenFile}, stand for the feed, as do
                     KAFKA_BROKERS, KAFKA_TOPIC_PREFIX, FEED_URL and FEED_TOKEN_FILE in its environment. It prints lines of JSON: {"kind","id","issuedBefore"} per revoked
                     target, {"state":"ready"} and {"state":"stale"} when it becomes so
  --probe URL        asks your consumer instead: GET URL?kind=…&id=…&iat=… answers 200 (a token that names the
                     target, issued then, is allowed), 401 or 403 (revoked), or 503 (refuses: stale, or a gap)
  --stale-after N    seconds without heartbeats that your consumer bears (10)
  --within N         seconds that it may take to start, and to apply what came (20)
  --json             the results as JSON`

/** @throws UsageError */
export function readOptions(args: readonly string[], env = process.env): Options {
  const end = args.indexOf('--')
  const [own, command] = end === -1 ? [args, []] : [args.slice(0, end), args.slice(end + 1)]
  const values = parsed(own)
  if (command.length === 0 && values.probe === undefined)
    throw new UsageError('Say which consumer: -- COMMAND, --probe URL, or both.')
  if (values.probe !== undefined && !URL.canParse(values.probe))
    throw new UsageError(`--probe must be a URL, not “${values.probe}”.`)
  return {
    feed: feedOf(values, command.length > 0, env),
    command,
    probe: values.probe,
    patience: {
      staleAfter: secondsOf('stale-after', values['stale-after']),
      within: secondsOf('within', values.within),
    },
    json: values.json,
  }
}

function feedOf(
  values: ReturnType<typeof parsed>,
  isStarted: boolean,
  env: NodeJS.ProcessEnv,
): Options['feed'] {
  const { brokers, prefix, http, 'token-file': tokenFile } = values
  if ((brokers === undefined) === (http === undefined))
    throw new UsageError('Say where the feed is to be played: --brokers LIST, or --http PORT.')
  if (http !== undefined) {
    if (!/^\d{1,5}$/.test(http) || Number(http) > 65_535)
      throw new UsageError(`--http must be a port from 0 to 65535, not “${http}”.`)
    if (!isStarted && (http === '0' || tokenFile === undefined))
      throw new UsageError(
        'A consumer that is started elsewhere has to know the feed: say --http PORT, not 0, and --token-file FILE.',
      )
    return { http: { port: Number(http), tokenFile } }
  }
  if (!isStarted && !prefix)
    throw new UsageError('A consumer that is started elsewhere has to know the topic: say --prefix TEXT.')
  return {
    kafka: {
      clientId: 'feed-check',
      brokers: (brokers ?? '').split(',').map(broker => broker.trim()),
      ...(prefix !== undefined && { topicPrefix: prefix }),
      ...loginOf(env),
    },
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        brokers: { type: 'string' },
        prefix: { type: 'string' },
        http: { type: 'string' },
        'token-file': { type: 'string' },
        probe: { type: 'string' },
        'stale-after': { type: 'string', default: '10' },
        within: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function secondsOf(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new UsageError(`--${name} must be a whole number of seconds from 1 to 9999, not “${text}”.`)
  return Number(text)
}

function loginOf({ KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_TLS }: NodeJS.ProcessEnv) {
  const login = {
    mechanism: 'scram-sha-512' as const,
    username: KAFKA_USERNAME ?? '',
    password: KAFKA_PASSWORD ?? '',
  }
  return {
    ...(KAFKA_USERNAME !== undefined && { sasl: login }),
    ...(KAFKA_TLS === 'on' && { tls: true as const }),
  }
}
