import { timeOrderedId } from '@grantlog/contracts'
import { JsonBody, line, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token, TokenGuard } from '@grantlog/resource-guard/nest'
import { Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common'
import { z } from 'zod'
import { Accounts } from '../people/accounts.js'
import { newPassword } from '../people/password.js'
import { operator } from '../people/who-commands.js'
import { Revocations } from '../revocations/revocations.js'
import { knownId } from './known-id.js'

const newAccount = z.object({
  email: z.email('must be an e-mail address').max(254),
  name: line(120),
  password: newPassword,
})

const unknown = 'There is no such account.'
const accountIdInPath = knownId('Not Found', unknown)
const suspension = z.object({
  reason: line(200).describe('Why; it is kept in the log and shown to operators.'),
})

/** People's accounts, for operators. */
@Controller('accounts')
@UseGuards(TokenGuard)
export class AccountsController {
  constructor(
    private readonly accounts: Accounts,
    private readonly revocations: Revocations,
  ) {}

  @Post()
  @RequireScope('accounts:write')
  async register(@Token() token: VerifiedToken, @JsonBody(newAccount) body: z.infer<typeof newAccount>) {
    const account = await this.accounts.register(body, operator(token.clientId))
    if (account === undefined) throw new Problem(409, 'Conflict', 'Somebody has this e-mail address already.')
    return { account_id: account.accountId, name: account.name }
  }

  /** Nobody signs in with it, and all that was granted ends. */
  @Post(':id/suspend')
  @HttpCode(200)
  @RequireScope('accounts:write')
  suspend(
    @Token() token: VerifiedToken,
    @Param('id', accountIdInPath) accountId: string,
    @JsonBody(suspension) { reason }: z.infer<typeof suspension>,
  ) {
    const ids = { accountId, eventId: timeOrderedId() }
    return this.#suspend({ type: 'suspend', ...ids, reason, cutoff: this.revocations.cutoff() }, token)
  }

  @Post(':id/reinstate')
  @HttpCode(200)
  @RequireScope('accounts:write')
  reinstate(@Token() token: VerifiedToken, @Param('id', accountIdInPath) accountId: string) {
    return this.#suspend({ type: 'reinstate', accountId }, token)
  }

  async #suspend(command: Parameters<Accounts['suspend']>[0], token: VerifiedToken) {
    const outcome = await this.accounts.suspend(command, operator(token.clientId))
    if (outcome === undefined) throw new Problem(404, 'Not Found', unknown)
    return { account_id: command.accountId, suspended: outcome.state.suspended }
  }
}
