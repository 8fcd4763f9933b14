import { JsonBody, line, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token, TokenGuard } from '@grantlog/resource-guard/nest'
import { Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common'
import { z } from 'zod'
import type { Owner } from '../domain/owner.js'
import { operator } from '../people/who-commands.js'
import { Revocations, type Revoked } from '../revocations/revocations.js'
import { knownId } from './known-id.js'

const order = z.object({ reason: line(200).describe('Why; it is in the event, and names no person.') })
type Order = z.infer<typeof order>

const known = (what: string) => knownId('Not Found', `There is no such ${what}.`)

/** Ends what was granted, for operators. The same request twice is one effect, or a cutoff that is a little later. */
@Controller()
@UseGuards(TokenGuard)
export class RevocationsController {
  constructor(private readonly revocations: Revocations) {}

  @Post('accounts/:id/revocations')
  @HttpCode(200)
  @RequireScope('revocations:write')
  ofAccount(
    @Token() token: VerifiedToken,
    @Param('id', known('account')) id: string,
    @JsonBody(order) { reason }: Order,
  ) {
    return this.#ofOwner({ kind: 'person', id }, reason, token)
  }

  @Post('organizations/:id/revocations')
  @HttpCode(200)
  @RequireScope('revocations:write')
  ofOrganization(
    @Token() token: VerifiedToken,
    @Param('id', known('organization')) id: string,
    @JsonBody(order) { reason }: Order,
  ) {
    return this.#ofOwner({ kind: 'organization', id }, reason, token)
  }

  @Post('grants/:id/revocations')
  @HttpCode(200)
  @RequireScope('revocations:write')
  async ofGrant(
    @Token() token: VerifiedToken,
    @Param('id', known('grant')) grantId: string,
    @JsonBody(order) { reason }: Order,
  ) {
    const why = { reason: 'operator', note: reason } as const
    const command = { grantId, revokedBy: null, why }
    const revoked = await this.revocations.ofGrant(command, operator(token.clientId))
    return answer({ kind: 'grant', id: grantId }, revoked, 'grant')
  }

  async #ofOwner(owner: Owner, note: string, token: VerifiedToken) {
    const revoked = await this.revocations.ofOwner(
      owner,
      { reason: 'operator', note },
      operator(token.clientId),
    )
    return owner.kind === 'person'
      ? answer({ kind: 'owner', id: owner.id }, revoked, 'account')
      : answer({ kind: 'organization', id: owner.id }, revoked, 'organization')
  }
}

/** @throws Problem 404 */
function answer(target: { kind: string; id: string }, revoked: Revoked | undefined, what: string) {
  if (revoked === undefined) throw new Problem(404, 'Not Found', `There is no such ${what}.`)
  return { target, issued_before: revoked?.issuedBefore ?? null, event: revoked?.id ?? null }
}
