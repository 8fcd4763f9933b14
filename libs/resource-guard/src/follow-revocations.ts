import type { Freshness } from './freshness.js'
import type { Revocation, RevocationSet } from './revocation-set.js'

const longestPauseMilliseconds = 5000

export interface FollowOptions {
  /** Of the feed: `https://auth.example.com/revocations`. */
  readonly url: string
  /** An access token with the scope `revocations:read`; asked for once per connection. */
  readonly accessToken: () => Promise<string>
  readonly revocations: RevocationSet
  readonly freshness: Freshness
  /** The feed tells every second that it lives: who hears nothing for so long has lost it, and connects again. Default 5. */
  readonly silentSeconds?: number
  /** Hears of what goes wrong. It is tried again, after 0.1 to 5 seconds. */
  readonly trouble?: (error: unknown) => void
}

/**
 * Follows the feed of revocations over HTTP (server-sent events), from the last hour on, and goes on where it was cut off. The freshness
 * says whether it does.
 */
export function followRevocations(options: FollowOptions): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const running = follow(options, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function follow(options: FollowOptions, stopping: AbortSignal): Promise<void> {
  let cursor: string | undefined
  for (let pause = 100; !stopping.aborted; pause = Math.min(2 * pause, longestPauseMilliseconds)) {
    try {
      for await (const { id, event, data } of connect(options, cursor, stopping)) {
        if (event === 'heard') hear(options.freshness, JSON.parse(data))
        else if (event === 'token.revoked.v1') options.revocations.apply(JSON.parse(data).data as Revocation)
        cursor = id ?? cursor
        pause = 100
      }
    } catch (error) {
      if (stopping.aborted) return
      options.trouble?.(error)
    }
    await aborted(stopping, pause)
  }
}

function hear(freshness: Freshness, heard: Readonly<Record<string, string>>): void {
  for (const [source, time] of Object.entries(heard)) freshness.alive(source, new Date(time))
}

interface ServerSentEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/** The events of one connection, until it ends. @throws Error where it is refused, breaks or falls silent */
async function* connect(
  { url, accessToken, silentSeconds = 5 }: FollowOptions,
  cursor: string | undefined,
  stopping: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const silent = new AbortController()
  const timer = setTimeout(() => silent.abort(new Error(`${url} fell silent`)), silentSeconds * 1000)
  const signal = AbortSignal.any([stopping, silent.signal])
  try {
    const response = await fetch(url, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${await Promise.race([accessToken(), rejection(signal)])}`,
        ...(cursor !== undefined && { 'last-event-id': cursor }),
      },
      signal,
      redirect: 'error',
    })
    if (!response.ok || response.body === null) throw new Error(`${url} answers ${response.status}`)
    let rest = ''
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      timer.refresh()
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      yield* blocks.map(parseBlock)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** The fields that our feed writes, a line each (WHATWG HTML §9.2.6). */
function parseBlock(block: string): ServerSentEvent {
  const fields = new Map(
    block.split('\n').map(line => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon), line.slice(colon + 2)] as const
    }),
  )
  return { id: fields.get('id'), event: fields.get('event') ?? '', data: fields.get('data') ?? '' }
}

/** Rejects when the signal comes. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
    signal.throwIfAborted()
  })
}

/** Returns after the time, or at once when the signal comes. */
function aborted(signal: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
