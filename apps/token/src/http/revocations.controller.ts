import { invalidRequest } from '@grantlog/oauth'
import { currentTrace, JsonBody, line, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token, TokenGuard } from '@grantlog/resource-guard/nest'
import {
  type CanActivate,
  Controller,
  Get,
  HttpCode,
  Injectable,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { accessToken } from '../domain/access-token.js'
import { family } from '../domain/family.js'
import { type Cursor, readCursor, writeCursor } from '../revocations/cursor.js'
import { RevocationFeed } from '../revocations/revocation-feed.js'
import { TokenServices } from '../token-services.js'

const order = z.object({
  target: z.object({
    kind: z.enum(
      ['token', 'family'],
      'must be token or family: the services that own the others revoke them',
    ),
    id: z.uuid(),
  }),
  reason: line(200).describe('Why; it is in the event, and names no person.'),
})
type Order = z.infer<typeof order>

const longestWaitSeconds = 60
const heardEveryMilliseconds = 1000

/** Whoever asks with a token is asked for it by what the feed itself knows: so it must be read first. */
@Injectable()
export class FeedOpen implements CanActivate {
  constructor(private readonly feed: RevocationFeed) {}

  async canActivate(): Promise<boolean> {
    await this.feed.open()
    return true
  }
}

/** The feed of revocations over HTTP, for resource servers without Kafka; and what operators add to it. */
@Controller('revocations')
@UseGuards(FeedOpen, TokenGuard)
export class RevocationsController {
  constructor(
    private readonly feed: RevocationFeed,
    private readonly services: TokenServices,
  ) {}

  /** Ends a token, or a family of them. The same again has no effect. */
  @Post()
  @HttpCode(200)
  @RequireScope('revocations:write')
  async revoke(@Token() token: VerifiedToken, @JsonBody(order) { target, reason }: Order) {
    const { commands } = this.services
    const by = {
      actor: { type: 'operator', id: token.clientId },
      traceparent: currentTrace()?.traceparent,
    } as const
    const revoke = { type: 'revoke', why: { note: reason, reason: 'operator' } } as const
    if (target.kind === 'token') {
      const { events } = await commands.run(accessToken, target.id, { ...revoke, tokenId: target.id }, by)
      return { target, issued_before: null, event: events[0]?.id ?? null }
    }
    const { state, events } = await commands.run(family, target.id, { ...revoke, familyId: target.id }, by)
    if (state.status === 'unknown') throw new Problem(404, 'Not Found', 'There is no such token family.')
    return { target, issued_before: null, event: events[0]?.id ?? null }
  }

  @Get()
  @RequireScope('revocations:read')
  async read(
    @Req() { headers }: FastifyRequest,
    @Query() query: Readonly<Record<string, unknown>>,
    @Token() token: VerifiedToken,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // WHATWG HTML §9.2: who was cut off says in Last-Event-ID how far it had come
    const cursor = readCursor(textOf('after', query) ?? [headers['last-event-id']].flat()[0])
    if (headers.accept?.includes('text/event-stream')) return this.#stream(cursor, token, reply)
    const { lines, cursor: next, heard } = await this.#page(cursor, readWait(textOf('wait', query)))
    const rest = { cursor: writeCursor(next), heard, more: heard === undefined }
    // the events byte for byte
    reply.type('application/json').send(`${JSON.stringify(rest).slice(0, -1)},"events":[${lines.join(',')}]}`)
  }

  /** What comes after the cursor, as soon as there is something, or nothing when the time is over. */
  async #page(cursor: Cursor, waitSeconds: number) {
    const until = performance.now() + waitSeconds * 1000
    for (;;) {
      const page = this.feed.after(cursor)
      const left = until - performance.now()
      if (page.lines.length > 0 || left <= 0 || this.feed.closed) return page
      await this.feed.changed(left)
    }
  }

  /** Until the reader leaves, its token ends, or the service stops. */
  async #stream(from: Cursor, token: VerifiedToken, reply: FastifyReply): Promise<void> {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no', // a proxy that collects what it passes on would keep it back
    })
    let cursor = from
    for (let toldAt = 0; !raw.destroyed && !this.feed.closed && this.feed.admits(token); ) {
      const { lines, cursor: next, heard } = this.feed.after(cursor)
      cursor = next
      const now = performance.now()
      const events = lines.map(line => `event: token.revoked.v1\ndata: ${line}\n`)
      if (events.length > 0) events.push(`${events.pop()}id: ${writeCursor(cursor)}\n`)
      if (heard !== undefined && (events.length > 0 || now - toldAt >= heardEveryMilliseconds)) {
        events.push(`event: heard\ndata: ${JSON.stringify(heard)}\n`)
        toldAt = now
      }
      if (!raw.write(events.map(event => `${event}\n`).join(''))) await drained(raw)
      // too many wait: the reader comes back, elsewhere or later
      const full = () => raw.destroy()
      if (heard !== undefined) await this.feed.changed(heardEveryMilliseconds - (now - toldAt)).catch(full)
    }
    raw.end()
  }
}

/** Returns when the reader has taken what was written, or has left. */
function drained(raw: FastifyReply['raw']): Promise<void> {
  return new Promise(resolve => {
    const go = () => {
      raw.off('drain', go)
      raw.off('close', go)
      resolve()
    }
    raw.on('drain', go)
    raw.on('close', go)
  })
}

/** @throws OAuthError invalid_request */
function textOf(name: string, query: Readonly<Record<string, unknown>>): string | undefined {
  const value = query[name]
  if (value === undefined || typeof value === 'string') return value
  throw invalidRequest(`The parameter '${name}' is included more than once.`)
}

/** @throws OAuthError invalid_request */
function readWait(text = '0'): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) > longestWaitSeconds)
    throw invalidRequest(`wait must be a whole number of seconds from 0 to ${longestWaitSeconds}.`)
  return Number(text)
}
