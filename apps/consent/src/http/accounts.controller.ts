import { JsonBody, line, Problem } from '@grantlog/platform'
import type { VerifiedToken } from '@grantlog/resource-guard'
import { RequireScope, Token, TokenGuard } from '@grantlog/resource-guard/nest'
import { Controller, Post, UseGuards } from '@nestjs/common'
import { z } from 'zod'
import { Accounts } from '../people/accounts.js'
import { newPassword } from '../people/password.js'
import { operator } from '../people/who-commands.js'

const newAccount = z.object({
  email: z.email('must be an e-mail address').max(254),
  name: line(120),
  password: newPassword,
})

/** People's accounts, for operators. */
@Controller('accounts')
@UseGuards(TokenGuard)
export class AccountsController {
  constructor(private readonly accounts: Accounts) {}

  @Post()
  @RequireScope('accounts:write')
  async register(@Token() token: VerifiedToken, @JsonBody(newAccount) body: z.infer<typeof newAccount>) {
    const account = await this.accounts.register(body, operator(token.clientId))
    if (account === undefined) throw new Problem(409, 'Conflict', 'Somebody has this e-mail address already.')
    return { account_id: account.accountId, name: account.name }
  }
}
