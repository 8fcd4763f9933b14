import { services } from '@grantlog/contracts'
import { Clock, JsonBody, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token, TokenGuard } from '@grantlog/resource-guard/nest'
import { Controller, HttpCode, Put, UseGuards } from '@nestjs/common'
import { z } from 'zod'
import { Positions } from '../revocations/positions.js'

const time = z.iso.datetime({ offset: true, error: 'must be a time as in RFC 3339' })
const report = z.object({
  resource: z.string().min(1).max(2048).describe('Audience of the API.'),
  instance: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, 'must be 1 to 64 visible ASCII characters without spaces'),
  complete_until: z
    .strictObject(Object.fromEntries(services.map(service => [service, time])))
    .nullable()
    .describe('Until when every revocation of each service has been applied there; null: the process ends.'),
})
type Report = z.infer<typeof report>

const aheadMilliseconds = 5000

/** How far resource servers have applied the revocations: told by themselves, with the token that the feed over HTTP takes. */
@Controller('positions')
@UseGuards(TokenGuard)
export class PositionsController {
  constructor(
    private readonly positions: Positions,
    private readonly clock: Clock,
  ) {}

  @Put()
  @HttpCode(204)
  @RequireScope('revocations:read')
  async report(@Token() { clientId }: VerifiedToken, @JsonBody(report) body: Report): Promise<void> {
    const { resource, instance, complete_until } = body
    if (complete_until === null) return this.positions.withdraw(clientId, { resource, instance })
    const completeUntil = this.#earliest(complete_until)
    const outcome = await this.positions.report(clientId, { resource, instance, completeUntil })
    if (outcome === 'unknown resource')
      throw new Problem(409, 'Conflict', 'There is no API with this resource.')
    if (outcome === 'too many')
      throw new Problem(409, 'Conflict', 'As many instances of this API as can be known report already.')
  }

  /** What holds of every service. @throws Problem 400 for a time to come */
  #earliest(completeUntil: NonNullable<Report['complete_until']>): Date {
    const times = Object.entries(completeUntil).map(([service, text]) => {
      const at = new Date(text)
      if (at.getTime() > this.clock.now().getTime() + aheadMilliseconds) throw inFuture(service)
      return at
    })
    return new Date(Math.min(...times.map(at => at.getTime())))
  }
}

function inFuture(service: string): Problem {
  const [pointer, detail] = [`/complete_until/${service}`, 'lies in the future']
  return new Problem(400, 'Bad Request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] })
}
